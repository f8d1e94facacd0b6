/**
 * Every built-in Kubernetes kind as a declaration, and the types of their objects.
 *
 * Names, verbs and types come from `facts/`; defaults, strategies, validation and columns are
 * written by hand, a folder per API group, a file per kind. Start with `declare.ts`.
 */
export { builtinKinds } from './all.ts';
export { apiGroups } from './facts.ts';
export { descriptions } from './descriptions.ts';
export { bootstrapObjects, bootstrapRbac } from './bootstrap.ts';
export type { BootstrapObjects, BootstrapRbac } from './bootstrap.ts';
export type { ApiGroupFact } from './facts.ts';
export {
  isPodReady,
  isPodTerminal,
  isProcessPod,
  isSidecar,
  matchesTolerations,
  podHostPorts,
  podLimits,
  podPriority,
  yieldsToRoles,
  podQosClass,
  podRequests,
  processRuntimeClasses,
  tolerates,
  untoleratedTaint,
} from './pod-spec/pod-facts.ts';
export type { HostPortUse, QosClass, ResourceAmounts } from './pod-spec/pod-facts.ts';
export { conditionOf, isConditionTrue, setCondition } from './shared/conditions.ts';
export type { AnyCondition } from './shared/conditions.ts';
export { selectorMatches, selectorText } from './shared/meta.ts';
export { sameValue } from './shared/same.ts';
export { bindings } from './core/binding.ts';
export { componentStatuses } from './core/component-status.ts';
export { configMaps } from './core/config-map.ts';
export { endpoints } from './core/endpoints.ts';
export { events } from './core/event.ts';
export { limitRanges } from './core/limit-range.ts';
export { finalizeProblems, namespaces } from './core/namespace.ts';
export { nodes } from './core/node.ts';
export { persistentVolumeClaims } from './core/persistent-volume-claim.ts';
export { persistentVolumes } from './core/persistent-volume.ts';
export { pods } from './core/pod.ts';
export { podTemplates } from './core/pod-template.ts';
export { replicationControllers } from './core/replication-controller.ts';
export { resourceQuotas } from './core/resource-quota.ts';
export { secrets } from './core/secret.ts';
export { serviceAccounts } from './core/service-account.ts';
export { services } from './core/service.ts';
export { apiServices } from './apiregistration/api-service.ts';
export { controllerRevisions } from './apps/controller-revision.ts';
export { daemonSets } from './apps/daemon-set.ts';
export { deployments } from './apps/deployment.ts';
export { replicaSets } from './apps/replica-set.ts';
export { statefulSets } from './apps/stateful-set.ts';
export { groupEvents } from './events/event.ts';
export { selfSubjectReviews, tokenReviews } from './authentication/reviews.ts';
export {
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectRulesReviews,
  subjectAccessReviews,
} from './authorization/reviews.ts';
export {
  horizontalPodAutoscalers,
  horizontalPodAutoscalersV1,
} from './autoscaling/horizontal-pod-autoscaler.ts';
export { cronJobs } from './batch/cron-job.ts';
export { jobs } from './batch/job.ts';
export { certificateSigningRequests } from './certificates/certificate-signing-request.ts';
export {
  clusterTrustBundles,
  clusterTrustBundlesV1alpha1,
} from './certificates/cluster-trust-bundle.ts';
export { podCertificateRequests } from './certificates/pod-certificate-request.ts';
export { ingressClasses } from './networking/ingress-class.ts';
export { ingresses } from './networking/ingress.ts';
export { ipAddresses, ipAddressesV1beta1 } from './networking/ip-address.ts';
export { networkPolicies } from './networking/network-policy.ts';
export { serviceCidrs, serviceCidrsV1beta1 } from './networking/service-cidr.ts';
export { podDisruptionBudgets } from './policy/pod-disruption-budget.ts';
export { clusterRoleBindings } from './rbac/cluster-role-binding.ts';
export { clusterRoles } from './rbac/cluster-role.ts';
export { roleBindings } from './rbac/role-binding.ts';
export { roles } from './rbac/role.ts';
export { csiDrivers } from './storage/csi-driver.ts';
export { csiNodes } from './storage/csi-node.ts';
export { csiStorageCapacities } from './storage/csi-storage-capacity.ts';
export { storageClasses } from './storage/storage-class.ts';
export { volumeAttachments } from './storage/volume-attachment.ts';
export {
  volumeAttributesClasses,
  volumeAttributesClassesV1beta1,
} from './storage/volume-attributes-class.ts';
export {
  mutatingAdmissionPolicies,
  validatingAdmissionPolicies,
  mutatingAdmissionPoliciesV1beta1,
  mutatingAdmissionPoliciesV1alpha1,
} from './admissionregistration/policies.ts';
export {
  mutatingAdmissionPolicyBindings,
  validatingAdmissionPolicyBindings,
  mutatingAdmissionPolicyBindingsV1beta1,
  mutatingAdmissionPolicyBindingsV1alpha1,
} from './admissionregistration/policy-bindings.ts';
export {
  mutatingWebhookConfigurations,
  validatingWebhookConfigurations,
} from './admissionregistration/webhook-configurations.ts';
export { customResourceDefinitions } from './apiextensions/custom-resource-definition.ts';
export { priorityClasses } from './scheduling/priority-class.ts';
export { podGroups } from './scheduling/pod-group.ts';
export { workloads } from './scheduling/workload.ts';
export { leases } from './coordination/lease.ts';
export { leaseCandidates, leaseCandidatesV1alpha2 } from './coordination/lease-candidate.ts';
export { runtimeClasses } from './node/runtime-class.ts';
export { endpointSlices } from './discovery/endpoint-slice.ts';
export {
  deviceClasses,
  deviceClassesV1beta2,
  deviceClassesV1beta1,
} from './resource/device-class.ts';
export {
  resourceClaims,
  resourceClaimsV1beta2,
  resourceClaimsV1beta1,
} from './resource/resource-claim.ts';
export {
  resourceClaimTemplates,
  resourceClaimTemplatesV1beta2,
  resourceClaimTemplatesV1beta1,
} from './resource/resource-claim-template.ts';
export {
  resourceSlices,
  resourceSlicesV1beta2,
  resourceSlicesV1beta1,
} from './resource/resource-slice.ts';
export { deviceTaintRules, deviceTaintRulesV1alpha3 } from './resource/device-taint-rule.ts';
export { resourcePoolStatusRequests } from './resource/resource-pool-status-request.ts';
export { flowSchemas } from './flowcontrol/flow-schema.ts';
export { priorityLevelConfigurations } from './flowcontrol/priority-level-configuration.ts';
export { storageVersions } from './apiserverinternal/storage-version.ts';
export { storageVersionMigrations } from './storagemigration/storage-version-migration.ts';

export type * from './types/apps-v1.ts';
export type * from './types/autoscaling-v2.ts';
export type { Scale, ScaleSpec, ScaleStatus } from './types/autoscaling-v1.ts';
export type * from './types/batch-v1.ts';
export type * from './types/coordination-v1.ts';
export type * from './types/core-v1.ts';
export type * from './types/networking-v1.ts';
export type * from './types/node-v1.ts';
export type * from './types/policy-v1.ts';
export type * from './types/rbac-v1.ts';
export type * from './types/scheduling-v1.ts';
export type {
  Condition,
  LabelSelector,
  LabelSelectorRequirement,
  ListMeta,
  Status,
} from './types/meta-v1.ts';
export type {
  Endpoint,
  EndpointConditions,
  EndpointHints,
  EndpointSlice,
  EndpointSliceList,
  EndpointPort as EndpointSlicePort,
} from './types/discovery-v1.ts';
// Groups whose names clash with others' keep their own name space.
export type * as admissionregistrationV1 from './types/admissionregistration-v1.ts';
export type * as apiextensionsV1 from './types/apiextensions-v1.ts';
export type * as apiregistrationV1 from './types/apiregistration-v1.ts';
export type * as authenticationV1 from './types/authentication-v1.ts';
export type * as authorizationV1 from './types/authorization-v1.ts';
export type * as autoscalingV1 from './types/autoscaling-v1.ts';
export type * as certificatesV1 from './types/certificates-v1.ts';
export type * as discoveryV1 from './types/discovery-v1.ts';
export type * as eventsV1 from './types/events-v1.ts';
export type * as flowcontrolV1 from './types/flowcontrol-v1.ts';
export type * as metaV1 from './types/meta-v1.ts';
export type * as resourceV1 from './types/resource-v1.ts';
export type * as storageV1 from './types/storage-v1.ts';
export { groupFacts, kindFacts, typeTables } from './tables.ts';
export type { GroupFact, KindFact, SubresourceFact } from './tables.ts';
