import { cells, created, testChanges, testRules } from '../fixture.test.ts';
import type { Json } from '../fixture.test.ts';
import {
  badIpText as badIp,
  labelText as label,
  notNegativeText as notNegative,
} from '../texts.test.ts';
import { namePartText as namePart, subdomainText as subdomain } from '../texts.test.ts';
import { pods } from './pod.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';

const id = 'must be between 0 and 2147483647, inclusive';

const base = { name: 'c', image: 'i' };
function pod(spec: Json, container: Json = {}, metadata: Json = {}): Json {
  return {
    metadata: { name: 'p', namespace: 'default', ...metadata },
    spec: { containers: [{ ...base, ...container }], ...spec },
  };
}
const c = (container: Json): Json => pod({}, container);
const init = (container: Json): Json =>
  pod({ initContainers: [{ name: 'i', image: 'i', ...container }] });
const at = 'spec.containers[0]';

testRules(pods, [
  [pod({})],
  // 5.2 annotations and what only a create refuses
  [
    pod({}, {}, { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
    'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
  ],
  [
    pod({}, {}, { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '+1' } }),
    'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer',
  ],
  [
    pod({}, {}, { annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'x' } }),
    'metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "x": must be a valid seccomp profile',
  ],
  [
    pod(
      {},
      {},
      { annotations: { 'container.apparmor.security.beta.kubernetes.io/d': 'unconfined' } },
    ),
    'metadata.annotations[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: "d": container not found',
  ],
  [
    pod({}, {}, { annotations: { 'container.apparmor.security.beta.kubernetes.io/c': 'x' } }),
    'metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: Invalid value: "x": invalid AppArmor profile name: "x"',
  ],
  [
    pod({
      volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }],
    }),
    'spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
  ],
  [
    c({ image: ' i' }),
    `${at}.image: Invalid value: " i": must not have leading or trailing whitespace`,
  ],
  [
    pod({ ephemeralContainers: [{ name: 'e', image: 'i' }] }),
    'spec.ephemeralContainers: Forbidden: cannot be set on create',
  ],
  [
    pod({ nodeName: 'n', schedulingGates: [{ name: 'a.b/c' }] }),
    'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
  ],
  // 5.3 scalars
  [
    pod({ restartPolicy: 'x' }),
    'spec.restartPolicy: Unsupported value: "x": supported values: "Always", "OnFailure", "Never"',
  ],
  [
    pod({ dnsPolicy: 'x' }),
    'spec.dnsPolicy: Unsupported value: "x": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
  ],
  [pod({ nodeSelector: { '-': 'x' } }), `spec.nodeSelector: Invalid value: "-": ${namePart}`],
  [
    pod({ dnsPolicy: 'None' }),
    'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None',
  ],
  [
    pod({ dnsPolicy: 'None', dnsConfig: {} }),
    'spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None',
  ],
  [
    pod({ dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] } }),
    'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]: must not have more than 3 nameservers',
  ],
  [
    pod({ dnsConfig: { nameservers: ['x'] } }),
    `spec.dnsConfig.nameservers[0]: Invalid value: "x": ${badIp}`,
  ],
  [
    pod({ dnsConfig: { options: [{ value: 'x' }] } }),
    'spec.dnsConfig.options[0]: Required value: must not be empty',
  ],
  [
    pod({ readinessGates: [{ conditionType: '-' }] }),
    `spec.readinessGates[0].conditionType: Invalid value: "-": ${namePart}`,
  ],
  [
    pod({ schedulingGates: [{ name: 'a' }, { name: 'a' }] }),
    'spec.schedulingGates[1]: Duplicate value: "a"',
  ],
  [pod({ hostname: 'A' }), `spec.hostname: Invalid value: "A": ${label}`],
  [pod({ subdomain: 'a.b' }), 'spec.subdomain: Invalid value: "a.b": must not contain dots'],
  [
    pod({ hostnameOverride: 'a', setHostnameAsFQDN: true }),
    'spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true',
  ],
  [
    pod({ hostnameOverride: 'a'.repeat(65) }),
    'spec.hostnameOverride: Too long: may not be more than 64 bytes',
  ],
  [pod({ serviceAccountName: 'A' }), `spec.serviceAccountName: Invalid value: "A": ${subdomain}`],
  [pod({ nodeName: 'A' }), `spec.nodeName: Invalid value: "A": ${subdomain}`],
  [pod({ priorityClassName: 'A' }), `spec.priorityClassName: Invalid value: "A": ${subdomain}`],
  [pod({ runtimeClassName: 'A' }), `spec.runtimeClassName: Invalid value: "A": ${subdomain}`],
  [
    pod({ preemptionPolicy: 'x' }),
    'spec.preemptionPolicy: Unsupported value: "x": supported values: "PreemptLowerPriority", "Never"',
  ],
  [
    pod({ activeDeadlineSeconds: 0 }),
    'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
  ],
  [
    pod({ os: { name: 'x' } }),
    'spec.os: Unsupported value: "x": supported values: "linux", "windows"',
  ],
  [pod({ os: { name: '' } }), 'spec.os.name: Required value'],
  [pod({ hostAliases: [{ ip: 'x' }] }), `spec.hostAliases[0].ip: Invalid value: "x": ${badIp}`],
  [
    pod({ hostAliases: [{ ip: '1.1.1.1', hostnames: ['A'] }] }),
    `spec.hostAliases[0].hostnames[0]: Invalid value: "A": ${subdomain}`,
  ],
  [
    pod({ hostNetwork: true }, { ports: [{ containerPort: 80, hostPort: 81 }] }),
    `${at}.ports[0].hostPort: Invalid value: 81: must match \`containerPort\` when \`hostNetwork\` is true`,
  ],
  [
    pod({ resourceClaims: [{ name: '', resourceClaimName: 'r' }] }),
    'spec.resourceClaims[0].name: Required value',
  ],
  [
    pod({ resourceClaims: [{ name: 'r' }] }),
    'spec.resourceClaims[0]: Invalid value: {"name":"r"}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
  ],
  // hostUsers and systems
  [pod({ hostUsers: false, hostPID: true }), 'spec.HostPID: Forbidden: when `hostUsers` is false'],
  [
    pod({ os: { name: 'linux' }, securityContext: { windowsOptions: {} } }),
    'spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod',
  ],
  [
    pod({ os: { name: 'windows' }, hostPID: true }),
    'spec.hostPID: Forbidden: cannot be set for a windows pod',
  ],
  [
    pod({ os: { name: 'windows' } }, { securityContext: { privileged: true } }),
    `${at}.securityContext.privileged: Forbidden: cannot be set for a windows pod`,
  ],
  // 5.4 containers
  [pod({ containers: [] }), 'spec.containers: Required value'],
  [c({ name: '' }), `${at}.name: Required value`],
  [c({ name: 'A' }), `${at}.name: Invalid value: "A": ${label}`],
  [c({ image: '' }), `${at}.image: Required value`],
  [
    c({ terminationMessagePolicy: 'x' }),
    `${at}.terminationMessagePolicy: Unsupported value: "x": supported values: "File", "FallbackToLogsOnError"`,
  ],
  [
    c({ ports: [{ name: '-', containerPort: 1 }] }),
    `${at}.ports[0].name: Invalid value: "-": must contain at least one letter (a-z)`,
    `${at}.ports[0].name: Invalid value: "-": must not begin or end with a hyphen`,
  ],
  [
    c({
      ports: [
        { name: 'a', containerPort: 1 },
        { name: 'a', containerPort: 2 },
      ],
    }),
    `${at}.ports[1].name: Duplicate value: "a"`,
  ],
  [c({ ports: [{ containerPort: 0 }] }), `${at}.ports[0].containerPort: Required value`],
  [
    c({ ports: [{ containerPort: 70000 }] }),
    `${at}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
  ],
  [
    c({ ports: [{ containerPort: 1, hostPort: -1 }] }),
    `${at}.ports[0].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive`,
  ],
  [
    c({ ports: [{ containerPort: 1, protocol: 'x' }] }),
    `${at}.ports[0].protocol: Unsupported value: "x": supported values: "SCTP", "TCP", "UDP"`,
  ],
  [
    c({
      ports: [
        { containerPort: 1, hostPort: 8 },
        { containerPort: 2, hostPort: 8 },
      ],
    }),
    `${at}.ports[1].hostPort: Duplicate value: "TCP//8"`,
  ],
  [
    c({ imagePullPolicy: 'x' }),
    `${at}.imagePullPolicy: Unsupported value: "x": supported values: "Always", "IfNotPresent", "Never"`,
  ],
  [
    c({ resizePolicy: [{ resourceName: 'x', restartPolicy: 'NotRequired' }] }),
    `${at}.resizePolicy: Unsupported value: "x": supported values: "cpu", "memory"`,
  ],
  [
    pod(
      { restartPolicy: 'Never' },
      { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] },
    ),
    `${at}.resizePolicy: Invalid value: "RestartContainer": must be 'NotRequired' when pod \`restartPolicy\` is 'Never'`,
  ],
  [pod({ containers: [base, base] }), 'spec.containers[1].name: Duplicate value: "c"'],
  [init({ name: 'c' }), 'spec.initContainers[0].name: Duplicate value: "c"'],
  [
    c({ restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }] }),
    `${at}.restartPolicy: Required value: must specify restartPolicy when restart rules are used`,
  ],
  [
    c({ restartPolicy: 'Never', restartPolicyRules: [{ action: 'x' }] }),
    `${at}.restartPolicyRules[0].action: Unsupported value: "x": supported values: "Restart", "RestartAllContainers"`,
    `${at}.restartPolicyRules[0].exitCodes: Required value: must be specified`,
  ],
  [
    init({ livenessProbe: { exec: { command: ['a'] } } }),
    'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
  [init({ restartPolicy: 'Always', livenessProbe: { exec: { command: ['a'] } } })],
  // 5.5 probes and hooks
  [c({ livenessProbe: {} }), `${at}.livenessProbe: Required value: must specify a handler type`],
  [
    c({ livenessProbe: { exec: { command: ['a'] }, tcpSocket: { port: 1 } } }),
    `${at}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`,
  ],
  [c({ livenessProbe: { exec: {} } }), `${at}.livenessProbe.exec.command: Required value`],
  [
    c({ livenessProbe: { tcpSocket: { port: 0 } } }),
    `${at}.livenessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive`,
  ],
  [
    c({ livenessProbe: { httpGet: { port: 1, scheme: 'x' } } }),
    `${at}.livenessProbe.httpGet.scheme: Unsupported value: "x": supported values: "HTTP", "HTTPS"`,
  ],
  [
    c({ livenessProbe: { httpGet: { port: 1, httpHeaders: [{ name: 'a b', value: '' }] } } }),
    `${at}.livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
  ],
  [
    c({ livenessProbe: { tcpSocket: { port: 1 }, periodSeconds: -1 } }),
    `${at}.livenessProbe.periodSeconds: Invalid value: -1: ${notNegative}`,
  ],
  [
    c({ livenessProbe: { tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 0 } }),
    `${at}.livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0`,
  ],
  [
    c({ livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } }),
    `${at}.livenessProbe.successThreshold: Invalid value: 2: must be 1`,
  ],
  [
    c({ readinessProbe: { tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 1 } }),
    `${at}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes`,
  ],
  [
    c({ lifecycle: { preStop: {} } }),
    `${at}.lifecycle.preStop: Required value: must specify a handler type`,
  ],
  [
    c({ lifecycle: { preStop: { sleep: { seconds: 31 } } } }),
    `${at}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)`,
  ],
  // 5.6 environment
  [c({ env: [{ name: '' }] }), `${at}.env[0].name: Required value`],
  [
    c({ env: [{ name: 'a=b' }] }),
    `${at}.env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
  ],
  [
    c({ env: [{ name: 'a', valueFrom: {} }] }),
    `${at}.env[0].valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\`, \`secretKeyRef\` or \`fileKeyRef\``,
  ],
  [
    c({
      env: [{ name: 'a', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
    }),
    `${at}.env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
  ],
  [
    c({ env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: 'x' } } }] }),
    `${at}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "x": error converting fieldPath: field label not supported: x`,
  ],
  [
    c({ env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }] }),
    `${at}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`,
  ],
  [
    c({ env: [{ name: 'a', valueFrom: { resourceFieldRef: { resource: 'x' } } }] }),
    `${at}.env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "x": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"`,
  ],
  [
    c({
      env: [
        { name: 'a', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '2' } } },
      ],
    }),
    `${at}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
  ],
  [
    c({ env: [{ name: 'a', valueFrom: { secretKeyRef: { name: 's', key: '' } } }] }),
    `${at}.env[0].valueFrom.secretKeyRef.key: Required value`,
  ],
  [
    c({ envFrom: [{}] }),
    `${at}.envFrom: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``,
  ],
  [c({ envFrom: [{ secretRef: {} }] }), `${at}.envFrom[0].secretRef.name: Required value`],
  // 5.7 mounts
  [
    c({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
    `${at}.volumeMounts[0].name: Not found: "v"`,
  ],
  [
    pod({ volumes: [{ name: 'v' }] }, { volumeMounts: [{ name: 'v', mountPath: '' }] }),
    `${at}.volumeMounts[0].mountPath: Required value`,
  ],
  [
    pod(
      { volumes: [{ name: 'v' }] },
      {
        volumeMounts: [
          { name: 'v', mountPath: '/v' },
          { name: 'v', mountPath: '/v' },
        ],
      },
    ),
    `${at}.volumeMounts[1].mountPath: Invalid value: "/v": must be unique`,
  ],
  [
    pod(
      { volumes: [{ name: 'v' }] },
      { volumeMounts: [{ name: 'v', mountPath: '/v', subPath: '/x' }] },
    ),
    `${at}.volumeMounts.subPath: Invalid value: "/x": must be a relative path`,
  ],
  [
    pod(
      { volumes: [{ name: 'v' }] },
      { volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: 'Bidirectional' }] },
    ),
    `${at}.volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers`,
  ],
  // 5.8 resources
  [
    c({ resources: { limits: { foo: '1' } } }),
    `${at}.resources.limits[foo]: Invalid value: "foo": must be a standard resource type or fully qualified`,
    `${at}.resources.limits[foo]: Invalid value: "foo": must be a standard resource for containers`,
    `${at}.resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified`,
    `${at}.resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers`,
  ],
  [
    c({ resources: { requests: { cpu: '-1' } } }),
    `${at}.resources.requests[cpu]: Invalid value: "-1": ${notNegative}`,
  ],
  [
    c({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
    `${at}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
  ],
  [
    c({ resources: { requests: { 'a.b/c': '1' }, limits: { 'a.b/c': '2' } } }),
    `${at}.resources.requests: Invalid value: "1": must be equal to a.b/c limit of 2`,
  ],
  [
    c({ resources: { requests: { 'a.b/c': '1' } } }),
    `${at}.resources.limits: Required value: Limit must be set for non overcommitable resources`,
  ],
  [
    c({ resources: { limits: { 'hugepages-2Mi': '2Mi' } } }),
    `${at}.resources: Forbidden: HugePages require cpu or memory`,
  ],
  [
    c({ resources: { limits: { cpu: '1', 'hugepages-2Mi': '3Mi' } } }),
    `${at}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
    `${at}.resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
  ],
  [
    c({ resources: { claims: [{ name: 'x' }] } }),
    `${at}.resources.claims[0]: Not found: "x": must be one of the names in pod.spec.resourceClaims which is empty`,
  ],
  // 5.9 security
  [
    pod({ securityContext: { fsGroup: -1 } }),
    `spec.securityContext.fsGroup: Invalid value: -1: ${id}`,
  ],
  [
    c({ securityContext: { runAsUser: -1 } }),
    `${at}.securityContext.runAsUser: Invalid value: -1: ${id}`,
  ],
  [
    pod({ shareProcessNamespace: true, hostPID: true }),
    'spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
  ],
  [
    pod({ securityContext: { sysctls: [{ name: 'A', value: '' }] } }),
    'spec.securityContext.sysctls[0].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
  ],
  [
    pod({ hostNetwork: true, securityContext: { sysctls: [{ name: 'net.a', value: '' }] } }),
    'spec.securityContext.sysctls[0].name: Invalid value: "net.a": may not be specified when \'hostNetwork\' is true',
  ],
  [
    pod({ securityContext: { seccompProfile: { type: 'Localhost' } } }),
    'spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
  ],
  [
    c({ securityContext: { seccompProfile: { type: 'x' } } }),
    `${at}.securityContext.seccompProfile.type: Unsupported value: "x": supported values: "Localhost", "RuntimeDefault", "Unconfined"`,
  ],
  [
    c({ securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: ' x' } } }),
    `${at}.securityContext.appArmorProfile.localhostProfile: Invalid value: " x": must not be padded with whitespace`,
  ],
  [
    c({ securityContext: { procMount: 'Unmasked' } }),
    `${at}.securityContext.procMount: Invalid value: "Unmasked": \`hostUsers\` must be false to use \`Unmasked\``,
  ],
  // 5.11 placement
  [
    pod({
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } },
      },
    }),
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
  ],
  [
    pod({
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'x', labelSelector: {}, namespaces: ['A'] },
          ],
        },
      },
    }),
    `spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespace: Invalid value: "A": ${label}`,
  ],
  [
    pod({
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 0, podAffinityTerm: { topologyKey: 'x', labelSelector: {} } },
          ],
        },
      },
    }),
    'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100',
  ],
  [
    pod({ tolerations: [{ value: 'x' }] }),
    'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
  ],
  [
    pod({
      tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 1 }],
    }),
    'spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
  ],
  [
    pod({ tolerations: [{ key: 'k', operator: 'x' }] }),
    'spec.tolerations[0].operator: Unsupported value: "x": supported values: "Equal", "Exists"',
  ],
  // 5.12 spread
  [
    pod({
      topologySpreadConstraints: [
        { maxSkew: 0, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule' },
      ],
    }),
    'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
  ],
  [
    pod({
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway', minDomains: 1 },
      ],
    }),
    'spec.topologySpreadConstraints[0].minDomains: Invalid value: 1: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway',
  ],
  // 5.13 volumes
  [
    pod({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] }),
    'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
  ],
  [pod({ volumes: [{ name: '', emptyDir: {} }] }), 'spec.volumes[0].name: Required value'],
  [pod({ volumes: [{ name: 'v' }, { name: 'v' }] }), 'spec.volumes[1].name: Duplicate value: "v"'],
  [
    pod({ volumes: [{ name: 'v', hostPath: { path: '' } }] }),
    'spec.volumes[0].hostPath.path: Required value',
  ],
  [
    pod({ volumes: [{ name: 'v', hostPath: { path: '/../x' } }] }),
    'spec.volumes[0].hostPath.path: Invalid value: "/../x": must not contain \'..\'',
  ],
  [
    pod({ volumes: [{ name: 'v', secret: {} }] }),
    'spec.volumes[0].secret.secretName: Required value',
  ],
  [
    pod({ volumes: [{ name: 'v', configMap: { name: 'm', defaultMode: 512 } }] }),
    'spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
  ],
  [
    pod({
      volumes: [{ name: 'v', configMap: { name: 'm', items: [{ key: 'k', path: '../x' }] } }],
    }),
    'spec.volumes[0].configMap.items[0].path: Invalid value: "../x": must not contain \'..\'',
  ],
  [
    pod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: '' } }] }),
    'spec.volumes[0].persistentVolumeClaim.claimName: Required value',
  ],
  [
    pod({ volumes: [{ name: 'v', downwardAPI: { items: [{ path: 'x' }] } }] }),
    'spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required',
  ],
  [
    pod({
      volumes: [
        {
          name: 'v',
          projected: { sources: [{ configMap: { name: 'm' }, secret: { name: 's' } }] },
        },
      ],
    }),
    'spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source',
  ],
  [
    pod({
      serviceAccountName: 's',
      volumes: [
        {
          name: 'v',
          projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 1 } }] },
        },
      ],
    }),
    'spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes',
  ],
  // metadata
  [pod({}, {}, { name: 'A' }), `metadata.name: Invalid value: "A": ${subdomain}`],
  [
    pod({}, {}, { finalizers: ['x'] }),
    'metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
  ],
]);

const from = pod({});
const gated = pod({ schedulingGates: [{ name: 'g' }], nodeSelector: { a: 'b' } });
testChanges(pods, [
  [{ from, to: c({ image: 'j' }) }],
  [
    { from: c({ imagePullPolicy: 'Never' }), to: c({ image: ' j', imagePullPolicy: 'Never' }) },
    `${at}.image: Invalid value: " j": must not have leading or trailing whitespace`,
  ],
  [
    { from, to: pod({ containers: [base, { ...base, name: 'd' }] }) },
    'spec.containers: Forbidden: pod updates may not add or remove containers',
  ],
  [{ from, to: pod({ activeDeadlineSeconds: 5 }) }],
  [
    { from: pod({ activeDeadlineSeconds: 5 }), to: pod({ activeDeadlineSeconds: 6 }) },
    'spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value',
  ],
  [
    { from: pod({ activeDeadlineSeconds: 5 }), to: from },
    'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
  ],
  [{ from, to: pod({ tolerations: [{ key: 'k', operator: 'Exists' }] }) }],
  [
    { from: pod({ tolerations: [{ key: 'k', operator: 'Exists' }] }), to: from },
    'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
  ],
  [{ from: gated, to: pod({ nodeSelector: { a: 'b', c: 'd' } }) }],
  [
    {
      from: gated,
      to: pod({ schedulingGates: [{ name: 'g' }, { name: 'h' }], nodeSelector: { a: 'b' } }),
    },
    "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'h'",
  ],
  [
    { from: gated, to: pod({ schedulingGates: [{ name: 'g' }], nodeSelector: { a: 'c' } }) },
    'spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
  ],
  [
    { from, to: pod({}, {}, { annotations: { 'kubernetes.io/config.mirror': 'x' } }) },
    'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
    'metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation',
  ],
  // status
  [
    {
      from,
      to: { ...from, status: { podIPs: [{ ip: '1.1.1.1' }, { ip: '1.1.1.2' }] } },
      through: 'status',
    },
    'status.podIPs: Invalid value: [{"ip":"1.1.1.1"},{"ip":"1.1.1.2"}]: may specify no more than one IP for each IP family',
  ],
  [
    {
      from,
      to: { ...from, status: { hostIP: '1.1.1.1', hostIPs: [{ ip: '1.1.1.2' }] } },
      through: 'status',
    },
    'status.hostIPs[0].ip: Invalid value: "1.1.1.2": must be equal to `hostIP`',
  ],
  [
    { from, to: { ...from, status: { qosClass: 'Guaranteed' } }, through: 'status' },
    'status.qosClass: Invalid value: "Guaranteed": field is immutable',
  ],
  [
    {
      from,
      to: { ...from, status: { conditions: [{ type: '-', status: 'True' }] } },
      through: 'status',
    },
    `status.conditions[0].Type: Invalid value: "-": ${namePart}`,
  ],
]);

const state = (one: Json): Json => ({
  containerStatuses: [
    { name: 'c', image: 'i', imageID: '', ready: false, restartCount: 0, state: one },
  ],
});
const ended = state({ terminated: { exitCode: 1 } });
const again = state({ running: {} });
testChanges(pods, [
  [
    {
      from: pod({ restartPolicy: 'Never' }),
      stored: { status: ended },
      to: { ...pod({ restartPolicy: 'Never' }), status: again },
      through: 'status',
    },
    'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
  ],
  [
    {
      from: pod({ restartPolicy: 'OnFailure' }),
      stored: { status: ended },
      to: { ...pod({ restartPolicy: 'OnFailure' }), status: again },
      through: 'status',
    },
  ],
]);

const debug = { name: 'd', image: 'i' };
const debugged = pod({ ephemeralContainers: [debug] });
const sized = (cpu: string, extra: Json = {}): Json =>
  c({ resources: { requests: { cpu }, limits: { cpu: '4' } }, ...extra });
testChanges(pods, [
  [{ from, to: debugged, through: 'ephemeralcontainers' }],
  [
    {
      from,
      to: pod({ ephemeralContainers: [{ ...debug, name: 'c' }] }),
      through: 'ephemeralcontainers',
    },
    'spec.ephemeralContainers[0].name: Duplicate value: "c"',
  ],
  [
    {
      from,
      to: pod({ ephemeralContainers: [{ ...debug, targetContainerName: 'x' }] }),
      through: 'ephemeralcontainers',
    },
    'spec.ephemeralContainers[0].targetContainerName: Not found: "x"',
  ],
  [
    {
      from,
      to: pod({ ephemeralContainers: [{ ...debug, ports: [{ containerPort: 1 }] }] }),
      through: 'ephemeralcontainers',
    },
    'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
  ],
  [
    { from, stored: debugged, to: from, through: 'ephemeralcontainers' },
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be removed\n',
  ],
  [{ from: sized('1'), to: sized('2'), through: 'resize' }],
  [
    { from: sized('1'), to: sized('5'), through: 'resize' },
    `${at}.resources.requests: Invalid value: "5": must be less than or equal to cpu limit of 4`,
  ],
  [
    { from: sized('1'), to: c({ resources: { requests: { cpu: '1' } } }), through: 'resize' },
    `${at}.resources.limits: Forbidden: resource limits cannot be removed`,
  ],
  [
    {
      from: sized('1'),
      to: pod({ containers: [base, { ...base, name: 'd' }] }),
      through: 'resize',
    },
    'spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of resizing',
    'spec.containers: Forbidden: containers may not be added or removed on resize',
  ],
  [
    {
      from: sized('1'),
      to: c({
        resources: { requests: { cpu: '1', 'ephemeral-storage': '1Gi' }, limits: { cpu: '4' } },
      }),
      through: 'resize',
    },
    'spec: Forbidden: only cpu and memory resources are mutable',
  ],
  [
    { from, to: sized('1'), through: 'resize' },
    'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
  ],
  // What else the request says is not taken.
  [{ from: sized('1'), to: { ...sized('2', { image: 'other' }) }, through: 'resize' }],
]);

test('A Pod that says nothing gets the defaults of the reference', () => {
  const { spec, status } = created(
    pods,
    c({ ports: [{ containerPort: 80 }], livenessProbe: { httpGet: { port: 80 } } }),
  );
  assert.deepEqual(spec, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    enableServiceLinks: true,
    containers: [
      {
        name: 'c',
        image: 'i',
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        resources: {},
        livenessProbe: {
          httpGet: { path: '/', port: 80, scheme: 'HTTP' },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'Always',
      },
    ],
  });
  assert.deepEqual(status, { phase: 'Pending', qosClass: 'BestEffort' });
});

const ready = { name: 'c', image: 'i', imageID: '', ready: true, restartCount: 2 };
const columns: readonly (readonly [Json, Json])[] = [
  [
    {
      ...pod({ nodeName: 'n1', readinessGates: [{ conditionType: 'x' }] }),
      metadata: { name: 'p', namespace: 'd', creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        phase: 'Running',
        podIPs: [{ ip: '10.0.0.1' }],
        containerStatuses: [
          {
            ...ready,
            state: { running: {} },
            lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T23:00:00Z' } },
          },
        ],
      },
    },
    {
      Name: 'p',
      Ready: '1/1',
      Status: 'Running',
      Restarts: '2 (60m ago)',
      Age: '24h',
      IP: '10.0.0.1',
      Node: 'n1',
      'Nominated Node': '<none>',
      'Readiness Gates': '0/1',
    },
  ],
  [
    { ...pod({}), status: { phase: 'Pending' } },
    { Status: 'Pending', Ready: '0/1', Restarts: '0', Age: '<unknown>' },
  ],
  [
    {
      ...pod({}),
      status: {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
      },
    },
    { Status: 'SchedulingGated' },
  ],
  [
    {
      ...pod({}),
      status: {
        phase: 'Running',
        containerStatuses: [
          { ...ready, ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } } },
        ],
      },
    },
    { Status: 'CrashLoopBackOff', Ready: '0/1', Restarts: '2' },
  ],
  [
    {
      ...pod({}),
      status: {
        phase: 'Failed',
        containerStatuses: [{ ...ready, ready: false, state: { terminated: { exitCode: 3 } } }],
      },
    },
    { Status: 'ExitCode:3' },
  ],
  [
    {
      ...pod({}),
      status: {
        phase: 'Failed',
        containerStatuses: [
          { ...ready, ready: false, state: { terminated: { exitCode: 137, signal: 9 } } },
        ],
      },
    },
    { Status: 'Signal:9' },
  ],
  [
    {
      ...init({}),
      status: {
        phase: 'Pending',
        initContainerStatuses: [{ ...ready, name: 'i', ready: false, state: { running: {} } }],
      },
    },
    { Status: 'Init:0/1', Restarts: '2' },
  ],
  [
    {
      ...pod({}),
      metadata: { name: 'p', deletionTimestamp: '2026-01-01T00:00:00Z' },
      status: { phase: 'Running' },
    },
    { Status: 'Terminating' },
  ],
  [{ ...pod({}), status: { phase: 'Failed', reason: 'Evicted' } }, { Status: 'Evicted' }],
];
for (const [object, want] of columns)
  test(`Pod columns: ${Object.values(want).join(' ')}`, () => {
    const got = Object.entries(cells(pods, object)).filter(([name]) => name in want);
    assert.deepEqual(Object.fromEntries(got), want);
  });
