import { horizontalPodAutoscalers } from '../autoscaling/horizontal-pod-autoscaler.ts';
import { certificateSigningRequests } from '../certificates/certificate-signing-request.ts';
import { limitRanges } from '../core/limit-range.ts';
import { resourceQuotas } from '../core/resource-quota.ts';
import { testChanges, testRules } from '../fixture.test.ts';
import type { Json } from '../fixture.test.ts';
import { labelText, portText, subdomainText } from '../texts.test.ts';
import { ingressClasses } from './ingress-class.ts';
import { ingresses } from './ingress.ts';
import { ipAddresses } from './ip-address.ts';
import { networkPolicies } from './network-policy.ts';
import { serviceCidrs } from './service-cidr.ts';

const backend = { service: { name: 's', port: { number: 80 } } };
const path = { path: '/', pathType: 'Prefix', backend };
const ingress = (spec: Json): Json => ({ spec: { defaultBackend: backend, ...spec } });
const onPath = (one: Json): Json =>
  ingress({ rules: [{ http: { paths: [{ ...path, ...one }] } }] });
const at = 'spec.rules[0].http.paths[0]';
testRules(ingresses, [
  [ingress({})],
  [{ spec: {} }, 'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified'],
  [
    ingress({ rules: [{ host: '1.1.1.1' }] }),
    'spec.rules[0].host: Invalid value: "1.1.1.1": must be a DNS name, not an IP address',
  ],
  [ingress({ rules: [{ host: 'A' }] }), `spec.rules[0].host: Invalid value: "A": ${subdomainText}`],
  [ingress({ rules: [{ host: '*.a.b' }] })],
  [ingress({ rules: [{ http: { paths: [] } }] }), 'spec.rules[0].http.paths: Required value'],
  [onPath({})],
  [onPath({ pathType: null }), `${at}.pathType: Required value: pathType must be specified`],
  [
    onPath({ pathType: 'x' }),
    `${at}.pathType: Unsupported value: "x": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
  ],
  [onPath({ path: 'a' }), `${at}.path: Invalid value: "a": must be an absolute path`],
  [onPath({ path: '/a//b' }), `${at}.path: Invalid value: "/a//b": must not contain '//'`],
  [onPath({ path: '/a/..' }), `${at}.path: Invalid value: "/a/..": cannot end with '/..'`],
  [
    onPath({ backend: {} }),
    `${at}.backend: Invalid value: "": resource or service backend is required`,
  ],
  [
    onPath({ backend: { service: { name: 's', port: {} } } }),
    `${at}.backend: Required value: port name or number is required`,
  ],
  [
    onPath({ backend: { service: { name: 'A', port: { number: 1 } } } }),
    `${at}.backend.service.name: Invalid value: "A": ${labelText}`,
  ],
  [
    onPath({ backend: { service: { name: 's', port: { number: 70000 } } } }),
    `${at}.backend.service.port.number: Invalid value: 70000: ${portText}`,
  ],
  [
    ingress({ tls: [{ secretName: 'A' }] }),
    `spec.tls[0].secretName: Invalid value: "A": ${subdomainText}`,
  ],
  [
    {
      ...ingress({ ingressClassName: 'a' }),
      metadata: { name: 'a', namespace: 'd', annotations: { 'kubernetes.io/ingress.class': 'b' } },
    },
    'annotations.kubernetes.io/ingress.class: Invalid value: "b": must match `ingressClassName` when both are specified',
  ],
]);

testRules(ingressClasses, [
  [{ spec: { controller: 'a.b/c' } }],
  [{ spec: {} }, 'spec.controller: Required value'],
  [
    { spec: { controller: 'a.b/c', parameters: { kind: 'K', name: 'n', scope: 'Namespace' } } },
    "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
  ],
]);

const policy = (spec: Json): Json => ({ spec: { podSelector: {}, ...spec } });
const port = (one: Json): Json => policy({ ingress: [{ ports: [one] }] });
const peer = (one: Json): Json => policy({ ingress: [{ from: [one] }] });
testRules(networkPolicies, [
  [port({ port: 80, endPort: 90 })],
  [
    port({ protocol: 'x' }),
    'spec.ingress[0].ports[0].protocol: Unsupported value: "x": supported values: "TCP", "UDP", "SCTP"',
  ],
  [
    port({ port: 80, endPort: 79 }),
    'spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`',
  ],
  [
    port({ port: 'a', endPort: 79 }),
    'spec.ingress[0].ports[0].endPort: Invalid value: 79: may not be specified when `port` is non-numeric',
  ],
  [
    port({ endPort: 79 }),
    'spec.ingress[0].ports[0].endPort: Invalid value: 79: may not be specified when `port` is not specified',
  ],
  [peer({}), 'spec.ingress[0].from[0]: Required value: must specify a peer'],
  [
    peer({ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }),
    'spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer',
  ],
  [
    peer({ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }),
    'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
  ],
  [
    policy({ policyTypes: ['x'] }),
    'spec.policyTypes[0]: Unsupported value: "x": supported values: "Ingress", "Egress"',
  ],
]);

const parentRef = { resource: 'services', namespace: 'd', name: 's' };
testRules(ipAddresses, [
  [{ metadata: { name: '10.0.0.1' }, spec: { parentRef } }],
  [{ metadata: { name: '10.0.0.1' }, spec: {} }, 'spec.parentRef: Required value'],
  [
    { metadata: { name: 'fd00::0' }, spec: { parentRef } },
    'metadata.name: Invalid value: "fd00::0": must be in canonical form ("fd00::")',
  ],
]);
testRules(serviceCidrs, [
  [{ spec: { cidrs: ['10.0.0.0/16', 'fd00::/64'] } }],
  [{ spec: {} }, 'spec.cidrs: Required value: at least one CIDR required'],
]);
testChanges(serviceCidrs, [
  [
    {
      from: { spec: { cidrs: ['10.0.0.0/16'] } },
      to: { spec: { cidrs: ['10.0.0.0/16', 'fd00::/64'] } },
    },
  ],
  [
    { from: { spec: { cidrs: ['10.0.0.0/16'] } }, to: { spec: { cidrs: ['10.1.0.0/16'] } } },
    'spec.cidrs[0]: Invalid value: "10.1.0.0/16": field is immutable',
  ],
]);

const item = (one: Json): Json => ({ spec: { limits: [{ type: 'Container', ...one }] } });
const limit = 'spec.limits[0]';
testRules(limitRanges, [
  [item({ max: { cpu: '2' }, min: { cpu: '1' } })],
  [
    item({ type: 'x' }),
    `${limit}.type: Invalid value: "x": must be a standard limit type or fully qualified`,
  ],
  [
    { spec: { limits: [{ type: 'Pod' }, { type: 'Pod' }] } },
    'spec.limits[1].type: Duplicate value: "Pod"',
  ],
  [
    item({ type: 'Pod', default: { cpu: '1' } }),
    `${limit}.default: Forbidden: may not be specified when \`type\` is 'Pod'`,
  ],
  [
    item({ type: 'PersistentVolumeClaim' }),
    `${limit}.limits: Required value: either minimum or maximum storage value is required, but neither was provided`,
  ],
  [
    item({ type: 'Pod', max: { cpu: '1' }, min: { cpu: '2' } }),
    `${limit}.min[cpu]: Invalid value: "2": min value 2 is greater than max value 1`,
  ],
  [
    item({ default: { cpu: '1' }, defaultRequest: { cpu: '2' } }),
    `${limit}.defaultRequest[cpu]: Invalid value: "2": default request value 2 is greater than default limit value 1`,
  ],
  [
    item({ maxLimitRequestRatio: { cpu: '500m' } }),
    `${limit}.maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1`,
  ],
  [
    item({ type: 'Pod', max: { cpu: '2' }, min: { cpu: '1' }, maxLimitRequestRatio: { cpu: '3' } }),
    `${limit}.maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000`,
  ],
]);

const quota = (spec: Json): Json => ({ spec: { hard: { pods: '1' }, ...spec } });
const term = (one: Json): Json => quota({ scopeSelector: { matchExpressions: [one] } });
const terms = 'spec.scopeSelector.matchExpressions';
testRules(resourceQuotas, [
  [quota({ scopes: ['BestEffort'] })],
  [quota({ scopes: ['x'] }), 'spec.scopes: Invalid value: ["x"]: unsupported scope'],
  [
    { spec: { hard: { cpu: '1' }, scopes: ['BestEffort'] } },
    'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
  ],
  [
    quota({ scopes: ['BestEffort', 'NotBestEffort'] }),
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
  ],
  [term({ scopeName: 'PriorityClass', operator: 'In', values: ['a'] })],
  [
    term({ scopeName: 'PriorityClass', operator: 'In' }),
    `${terms}.values: Required value: must be at least one value when \`operator\` is 'In' or 'NotIn' for scope selector`,
  ],
  [
    term({ scopeName: 'PriorityClass', operator: 'x' }),
    `${terms}.operator: Invalid value: "x": not a valid selector operator`,
  ],
]);

const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' };
const scaler = (spec: Json): Json => ({ spec: { scaleTargetRef, maxReplicas: 3, ...spec } });
const metric = (one: Json): Json => scaler({ metrics: [one] });
const cpu = (target: Json): Json => metric({ type: 'Resource', resource: { name: 'cpu', target } });
testRules(horizontalPodAutoscalers, [
  [scaler({})],
  [
    scaler({ maxReplicas: 0 }),
    'spec.maxReplicas: Required value: must be set and greater than 0',
    'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
  ],
  [
    scaler({ minReplicas: 0 }),
    'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
    'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
  ],
  [
    scaler({ scaleTargetRef: { ...scaleTargetRef, apiVersion: 'v1' } }),
    'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
  ],
  [
    metric({ type: 'Pods' }),
    'spec.metrics[0].pods: Required value: must populate information for the given metric source',
  ],
  [
    cpu({ type: 'x', averageUtilization: 1 }),
    'spec.metrics[0].resource.target.type: Invalid value: "x": must be either Utilization, Value, or AverageValue',
  ],
  [
    cpu({ type: 'Utilization' }),
    'spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
  ],
  [
    scaler({ behavior: { scaleUp: { policies: [{ type: 'x', value: 1, periodSeconds: 1 }] } } }),
    'spec.behavior.scaleUp.policies[0].type: Unsupported value: "x": supported values: "Percent", "Pods"',
  ],
]);

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const pem = base64('-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n');
const request = (spec: Json): Json => ({
  spec: { request: pem, signerName: 'a.b/c', usages: ['client auth'], ...spec },
});
const yes = (type: string): Json => ({ type, status: 'True' });
testRules(certificateSigningRequests, [
  [request({})],
  [
    request({ request: base64('x') }),
    'spec.request: Invalid value: "eA==": PEM block type must be CERTIFICATE REQUEST',
  ],
  [request({ usages: [] }), 'spec.usages: Required value'],
  [
    request({ usages: ['client auth', 'client auth'] }),
    'spec.usages[1]: Duplicate value: "client auth"',
  ],
  [
    request({ signerName: 'x' }),
    'spec.signerName: Invalid value: "x": must be a fully qualified domain and path of the form \'example.com/signer-name\'',
  ],
  [
    request({ expirationSeconds: 1 }),
    'spec.expirationSeconds: Invalid value: 1: may not specify a duration less than 600 seconds (10 minutes)',
  ],
]);
const csr = request({});
testChanges(certificateSigningRequests, [
  [{ from: csr, to: { ...csr, status: { conditions: [yes('Approved')] } }, through: 'approval' }],
  [
    {
      from: csr,
      to: { ...csr, status: { conditions: [yes('Approved'), yes('Denied')] } },
      through: 'approval',
    },
    'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
  ],
  [
    { from: csr, to: { ...csr, status: { conditions: [yes('Approved')] } }, through: 'status' },
    'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
  ],
  [
    {
      from: csr,
      stored: { status: { conditions: [yes('Denied')] } },
      to: csr,
      through: 'approval',
    },
    'status.conditions: Forbidden: updates may not remove a condition of type "Denied"',
  ],
  [
    { from: csr, to: { ...csr, status: { certificate: base64('x') } }, through: 'status' },
    'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
  ],
]);
