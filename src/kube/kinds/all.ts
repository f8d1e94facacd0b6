import type { KindDeclaration } from '#machinery';
import { bindings } from './core/binding.ts';
import { componentStatuses } from './core/component-status.ts';
import { configMaps } from './core/config-map.ts';
import { endpoints } from './core/endpoints.ts';
import { events } from './core/event.ts';
import { limitRanges } from './core/limit-range.ts';
import { namespaces } from './core/namespace.ts';
import { nodes } from './core/node.ts';
import { persistentVolumeClaims } from './core/persistent-volume-claim.ts';
import { persistentVolumes } from './core/persistent-volume.ts';
import { pods } from './core/pod.ts';
import { podTemplates } from './core/pod-template.ts';
import { replicationControllers } from './core/replication-controller.ts';
import { resourceQuotas } from './core/resource-quota.ts';
import { secrets } from './core/secret.ts';
import { serviceAccounts } from './core/service-account.ts';
import { services } from './core/service.ts';
import { apiServices } from './apiregistration/api-service.ts';
import { controllerRevisions } from './apps/controller-revision.ts';
import { daemonSets } from './apps/daemon-set.ts';
import { deployments } from './apps/deployment.ts';
import { replicaSets } from './apps/replica-set.ts';
import { statefulSets } from './apps/stateful-set.ts';
import { groupEvents } from './events/event.ts';
import { selfSubjectReviews, tokenReviews } from './authentication/reviews.ts';
import {
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectRulesReviews,
  subjectAccessReviews,
} from './authorization/reviews.ts';
import {
  horizontalPodAutoscalers,
  horizontalPodAutoscalersV1,
} from './autoscaling/horizontal-pod-autoscaler.ts';
import { cronJobs } from './batch/cron-job.ts';
import { jobs } from './batch/job.ts';
import { certificateSigningRequests } from './certificates/certificate-signing-request.ts';
import {
  clusterTrustBundles,
  clusterTrustBundlesV1alpha1,
} from './certificates/cluster-trust-bundle.ts';
import { podCertificateRequests } from './certificates/pod-certificate-request.ts';
import { ingressClasses } from './networking/ingress-class.ts';
import { ingresses } from './networking/ingress.ts';
import { ipAddresses, ipAddressesV1beta1 } from './networking/ip-address.ts';
import { networkPolicies } from './networking/network-policy.ts';
import { serviceCidrs, serviceCidrsV1beta1 } from './networking/service-cidr.ts';
import { podDisruptionBudgets } from './policy/pod-disruption-budget.ts';
import { clusterRoleBindings } from './rbac/cluster-role-binding.ts';
import { clusterRoles } from './rbac/cluster-role.ts';
import { roleBindings } from './rbac/role-binding.ts';
import { roles } from './rbac/role.ts';
import { csiDrivers } from './storage/csi-driver.ts';
import { csiNodes } from './storage/csi-node.ts';
import { csiStorageCapacities } from './storage/csi-storage-capacity.ts';
import { storageClasses } from './storage/storage-class.ts';
import { volumeAttachments } from './storage/volume-attachment.ts';
import {
  volumeAttributesClasses,
  volumeAttributesClassesV1beta1,
} from './storage/volume-attributes-class.ts';
import {
  mutatingAdmissionPolicies,
  validatingAdmissionPolicies,
  mutatingAdmissionPoliciesV1beta1,
  mutatingAdmissionPoliciesV1alpha1,
} from './admissionregistration/policies.ts';
import {
  mutatingAdmissionPolicyBindings,
  validatingAdmissionPolicyBindings,
  mutatingAdmissionPolicyBindingsV1beta1,
  mutatingAdmissionPolicyBindingsV1alpha1,
} from './admissionregistration/policy-bindings.ts';
import {
  mutatingWebhookConfigurations,
  validatingWebhookConfigurations,
} from './admissionregistration/webhook-configurations.ts';
import { customResourceDefinitions } from './apiextensions/custom-resource-definition.ts';
import { priorityClasses } from './scheduling/priority-class.ts';
import { podGroups } from './scheduling/pod-group.ts';
import { workloads } from './scheduling/workload.ts';
import { leases } from './coordination/lease.ts';
import { leaseCandidates, leaseCandidatesV1alpha2 } from './coordination/lease-candidate.ts';
import { runtimeClasses } from './node/runtime-class.ts';
import { endpointSlices } from './discovery/endpoint-slice.ts';
import {
  deviceClasses,
  deviceClassesV1beta2,
  deviceClassesV1beta1,
} from './resource/device-class.ts';
import {
  resourceClaims,
  resourceClaimsV1beta2,
  resourceClaimsV1beta1,
} from './resource/resource-claim.ts';
import {
  resourceClaimTemplates,
  resourceClaimTemplatesV1beta2,
  resourceClaimTemplatesV1beta1,
} from './resource/resource-claim-template.ts';
import {
  resourceSlices,
  resourceSlicesV1beta2,
  resourceSlicesV1beta1,
} from './resource/resource-slice.ts';
import { deviceTaintRules, deviceTaintRulesV1alpha3 } from './resource/device-taint-rule.ts';
import { resourcePoolStatusRequests } from './resource/resource-pool-status-request.ts';
import { flowSchemas } from './flowcontrol/flow-schema.ts';
import { priorityLevelConfigurations } from './flowcontrol/priority-level-configuration.ts';
import { storageVersions } from './apiserverinternal/storage-version.ts';
import { storageVersionMigrations } from './storagemigration/storage-version-migration.ts';

/** Every built-in kind, in the order of discovery; those of alpha and beta versions are marked. */
export const builtinKinds: readonly KindDeclaration[] = [
  bindings,
  componentStatuses,
  configMaps,
  endpoints,
  events,
  limitRanges,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  podTemplates,
  replicationControllers,
  resourceQuotas,
  secrets,
  serviceAccounts,
  services,
  apiServices,
  controllerRevisions,
  daemonSets,
  deployments,
  replicaSets,
  statefulSets,
  groupEvents,
  selfSubjectReviews,
  tokenReviews,
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectRulesReviews,
  subjectAccessReviews,
  horizontalPodAutoscalers,
  horizontalPodAutoscalersV1,
  cronJobs,
  jobs,
  certificateSigningRequests,
  clusterTrustBundles,
  podCertificateRequests,
  clusterTrustBundlesV1alpha1,
  ingressClasses,
  ingresses,
  ipAddresses,
  networkPolicies,
  serviceCidrs,
  ipAddressesV1beta1,
  serviceCidrsV1beta1,
  podDisruptionBudgets,
  clusterRoleBindings,
  clusterRoles,
  roleBindings,
  roles,
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  storageClasses,
  volumeAttachments,
  volumeAttributesClasses,
  volumeAttributesClassesV1beta1,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  mutatingWebhookConfigurations,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
  validatingWebhookConfigurations,
  mutatingAdmissionPoliciesV1beta1,
  mutatingAdmissionPolicyBindingsV1beta1,
  mutatingAdmissionPoliciesV1alpha1,
  mutatingAdmissionPolicyBindingsV1alpha1,
  customResourceDefinitions,
  priorityClasses,
  podGroups,
  workloads,
  leases,
  leaseCandidates,
  leaseCandidatesV1alpha2,
  runtimeClasses,
  endpointSlices,
  deviceClasses,
  resourceClaims,
  resourceClaimTemplates,
  resourceSlices,
  deviceClassesV1beta2,
  deviceTaintRules,
  resourceClaimsV1beta2,
  resourceClaimTemplatesV1beta2,
  resourceSlicesV1beta2,
  deviceClassesV1beta1,
  resourceClaimsV1beta1,
  resourceClaimTemplatesV1beta1,
  resourceSlicesV1beta1,
  deviceTaintRulesV1alpha3,
  resourcePoolStatusRequests,
  flowSchemas,
  priorityLevelConfigurations,
  storageVersions,
  storageVersionMigrations,
];
