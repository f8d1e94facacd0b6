import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cells, created, testChanges, testRules } from '../fixture.test.ts';
import type { Json } from '../fixture.test.ts';
import { badIpText, labelText, namePartText, portText, subdomainText } from '../texts.test.ts';
import { services } from './service.ts';

const port = { port: 80 };
const service = (spec: Json, metadata: Json = {}): Json => ({
  metadata: { name: 's', namespace: 'd', ...metadata },
  spec: { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports: [port], ...spec },
});
const external = (spec: Json): Json => ({ spec: { type: 'ExternalName', ...spec } });
const balanced = (spec: Json): Json => service({ type: 'LoadBalancer', ...spec });
const onlyBalancer = "may only be used when `type` is 'LoadBalancer'";

testRules(services, [
  [service({})],
  [
    service(
      {},
      {
        annotations: {
          'service.kubernetes.io/topology-mode': 'a',
          'service.kubernetes.io/topology-aware-hints': 'b',
        },
      },
    ),
    'metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: "a": must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified',
  ],
  [service({}, { name: 'A' }), `metadata.name: Invalid value: "A": ${labelText}`],
  [service({ ports: [] }), 'spec.ports: Required value'],
  [service({ ports: [], clusterIP: 'None', clusterIPs: ['None'] })],
  [
    balanced({ clusterIP: 'None', clusterIPs: ['None'] }),
    'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for LoadBalancer services',
  ],
  [
    service({ type: 'NodePort', clusterIP: 'None', clusterIPs: ['None'] }),
    'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
  ],
  [external({}), 'spec.externalName: Required value'],
  [external({ externalName: 'A' }), `spec.externalName: Invalid value: "A": ${subdomainText}`],
  [external({ externalName: 'a.b.' })],
  [
    external({ externalName: 'a', ipFamilies: ['IPv4'] }),
    'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
  ],
  [service({ ports: [port, { port: 81, name: 'x' }] }), 'spec.ports[0].name: Required value'],
  [
    service({ ports: [{ ...port, name: 'A' }] }),
    `spec.ports[0].name: Invalid value: "A": ${labelText}`,
  ],
  [
    service({
      ports: [
        { port: 1, name: 'x' },
        { port: 2, name: 'x' },
      ],
    }),
    'spec.ports[1].name: Duplicate value: "x"',
  ],
  [
    service({ ports: [{ port: 0, targetPort: 1 }] }),
    `spec.ports[0].port: Invalid value: 0: ${portText}`,
  ],
  [
    service({ ports: [{ ...port, protocol: 'x' }] }),
    'spec.ports[0].protocol: Unsupported value: "x": supported values: "SCTP", "TCP", "UDP"',
  ],
  [
    service({ ports: [{ ...port, targetPort: 70000 }] }),
    `spec.ports[0].targetPort: Invalid value: 70000: ${portText}`,
  ],
  [
    service({ ports: [{ ...port, appProtocol: '-' }] }),
    `spec.ports[0].appProtocol: Invalid value: "-": ${namePartText}`,
  ],
  [service({ selector: { '-': 'x' } }), `spec.selector: Invalid value: "-": ${namePartText}`],
  [
    service({ sessionAffinity: 'x' }),
    'spec.sessionAffinity: Unsupported value: "x": supported values: "ClientIP", "None"',
  ],
  [
    service({
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } },
    }),
    'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400',
  ],
  [
    service({ clusterIP: '10.0.0.2' }),
    'spec.clusterIPs: Invalid value: ["10.0.0.1"]: first value must match `clusterIP`',
  ],
  [
    service({ ipFamilies: ['x'] }),
    'spec.ipFamilies[0]: Unsupported value: "x": supported values: "IPv4", "IPv6"',
  ],
  [
    service({ ipFamilyPolicy: 'x' }),
    'spec.ipFamilyPolicy: Unsupported value: "x": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
  ],
  [
    service({ clusterIP: 'x', clusterIPs: ['x'] }),
    `spec.clusterIPs[0]: Invalid value: "x": ${badIpText}`,
  ],
  [
    service({ clusterIPs: ['10.0.0.1', '10.0.0.2'] }),
    'spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family',
  ],
  [
    service({ ipFamilies: ['IPv6'] }),
    'spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`',
  ],
  [
    service({ externalIPs: ['127.0.0.1'] }),
    'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ],
  [
    service({ type: 'x' }),
    'spec.type: Unsupported value: "x": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    'spec.internalTrafficPolicy: Required value',
  ],
  [
    service({ ports: [{ ...port, nodePort: 30000 }] }),
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ],
  [
    service({
      type: 'NodePort',
      ports: [
        { port: 1, name: 'a', nodePort: 30000 },
        { port: 2, name: 'b', nodePort: 30000 },
      ],
    }),
    'spec.ports[1].nodePort: Duplicate value: 30000',
  ],
  [
    service({
      ports: [
        { port: 1, name: 'a' },
        { port: 1, name: 'b' },
      ],
    }),
    'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":1,"TargetPort":0,"NodePort":0}',
  ],
  [
    service({ loadBalancerSourceRanges: ['10.0.0.0/8'] }),
    `spec.LoadBalancerSourceRanges: Forbidden: ${onlyBalancer}`,
  ],
  [
    balanced({ loadBalancerSourceRanges: ['x'] }),
    'spec.LoadBalancerSourceRanges[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [
    service({ allocateLoadBalancerNodePorts: true }),
    `spec.allocateLoadBalancerNodePorts: Forbidden: ${onlyBalancer}`,
  ],
  [service({ loadBalancerClass: 'a' }), `spec.loadBalancerClass: Forbidden: ${onlyBalancer}`],
  [
    balanced({ loadBalancerClass: '-' }),
    `spec.loadBalancerClass: Invalid value: "-": ${namePartText}`,
  ],
  [
    service({ externalTrafficPolicy: 'Cluster' }),
    'spec.externalTrafficPolicy: Invalid value: "Cluster": may only be set for externally-accessible services',
  ],
  [
    balanced({ externalTrafficPolicy: 'x' }),
    'spec.externalTrafficPolicy: Unsupported value: "x": supported values: "Cluster", "Local"',
  ],
  [
    balanced({ healthCheckNodePort: 30000 }),
    "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
  ],
  [
    service({ internalTrafficPolicy: 'x' }),
    'spec.internalTrafficPolicy: Unsupported value: "x": supported values: "Cluster", "Local"',
  ],
  [
    service({ trafficDistribution: 'x' }),
    'spec.trafficDistribution: Unsupported value: "x": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
  ],
]);

const ingress = (one: Json, spec: Json = { type: 'LoadBalancer' }) => ({
  from: service(spec),
  to: { ...service(spec), status: { loadBalancer: { ingress: [one] } } },
  through: 'status',
});
testChanges(services, [
  [{ from: service({}), to: service({ ports: [{ port: 81 }] }) }],
  [
    { from: service({}), to: service({ clusterIP: '10.0.0.9', clusterIPs: ['10.0.0.9'] }) },
    'spec.clusterIPs[0]: Invalid value: ["10.0.0.9"]: may not change once set',
  ],
  [
    { from: balanced({ loadBalancerClass: 'a' }), to: balanced({ loadBalancerClass: 'b' }) },
    'spec.loadBalancerClass: Invalid value: "b": may not change once set',
  ],
  [ingress({ ip: '1.1.1.1', ipMode: 'VIP' })],
  [
    ingress({ ip: 'x', ipMode: 'VIP' }),
    `status.loadBalancer.ingress[0].ip: Invalid value: "x": ${badIpText}`,
  ],
  [
    ingress({ ip: '1.1.1.1', ipMode: 'x' }),
    'status.loadBalancer.ingress[0].ipMode: Unsupported value: "x": supported values: "Proxy", "VIP"',
  ],
  [
    ingress({ hostname: '1.1.1.1' }),
    'status.loadBalancer.ingress[0].hostname: Invalid value: "1.1.1.1": must be a DNS name, not an IP address',
  ],
  [
    ingress({ ip: '1.1.1.1', ipMode: 'VIP' }, {}),
    "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
  ],
]);

test('A Service that says nothing gets the defaults of the reference', () => {
  const { spec } = created(services, { spec: { ports: [port], sessionAffinity: 'ClientIP' } });
  assert.deepEqual(spec, {
    ports: [{ protocol: 'TCP', port: 80, targetPort: 80 }],
    type: 'ClusterIP',
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
    internalTrafficPolicy: 'Cluster',
  });
});

test('Columns of a Service', () => {
  const made = (spec: Json, status: Json = {}) => cells(services, { ...service(spec), status });
  assert.deepEqual(
    made({
      type: 'NodePort',
      ports: [{ port: 80, nodePort: 30080 }],
      selector: { b: 'c', a: 'b' },
    }),
    {
      Name: 's',
      Type: 'NodePort',
      'Cluster-IP': '10.0.0.1',
      'External-IP': '<none>',
      'Port(s)': '80:30080/TCP',
      Age: '<unknown>',
      Selector: 'a=b,b=c',
    },
  );
  const pending: Json = { ...made({ type: 'LoadBalancer' }) };
  assert.equal(pending['External-IP'], '<pending>');
  const given: Json = {
    ...made({ type: 'LoadBalancer' }, { loadBalancer: { ingress: [{ ip: '1.1.1.1' }] } }),
  };
  assert.equal(given['External-IP'], '1.1.1.1');
});
