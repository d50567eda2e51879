//! Finalizers that are known: who should have handled each, and what may be left behind without it.

/// What is known about a finalizer.
pub(super) struct Known {
    /// The finalizer, or its beginning where it ends in `*`.
    pub name: &'static str,
    /// Who should have handled it.
    pub keeper: &'static str,
    /// What may be left behind.
    pub leftover: &'static str,
}

/// The entry for a finalizer, if it is known.
pub(super) fn known(finalizer: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| match known.name.strip_suffix('*') {
        Some(start) => finalizer.starts_with(start),
        None => finalizer == known.name,
    })
}

const fn entry(name: &'static str, keeper: &'static str, leftover: &'static str) -> Known {
    Known { name, keeper, leftover }
}

#[rustfmt::skip]
const KNOWN: &[Known] = &[
    entry("batch.kubernetes.io/job-tracking", "the Job controller of kube-controller-manager", "the Job may count this pod twice or not at all"),
    entry("kubernetes.io/pvc-protection", "the pvc-protection controller of kube-controller-manager", "pods that still mount the claim lose their volume"),
    entry("kubernetes.io/pv-protection", "the pv-protection controller of kube-controller-manager", "a claim bound to a volume that no longer exists"),
    entry("external-provisioner.volume.kubernetes.io/finalizer", "the CSI driver's external-provisioner", "the disk at the storage provider, which goes on costing"),
    entry("external-attacher/*", "the CSI driver's external-attacher", "a volume that stays attached to a node"),
    entry("snapshot.storage.kubernetes.io/*", "the snapshot controller", "the snapshot at the storage provider"),
    entry("service.kubernetes.io/load-balancer-cleanup", "the cloud controller manager", "the load balancer at the cloud provider, which goes on costing"),
    entry("service.k8s.aws/resources", "the AWS Load Balancer Controller", "a load balancer, its target groups and security groups at AWS"),
    entry("ingress.k8s.aws/resources", "the AWS Load Balancer Controller", "a load balancer, its target groups and security groups at AWS"),
    entry("elbv2.k8s.aws/resources", "the AWS Load Balancer Controller", "target groups and their registrations at AWS"),
    entry("networking.gke.io/*", "the GKE ingress controller", "load balancer parts at Google Cloud"),
    entry("resources-finalizer.argocd.argoproj.io*", "the Argo CD application controller", "everything the application deployed, without an owner"),
    entry("finalizers.fluxcd.io", "the Flux controllers", "everything the Kustomization or HelmRelease deployed, without an owner"),
    entry("finalizer.acme.cert-manager.io", "cert-manager", "DNS records or ingress rules of an ACME challenge"),
    entry("finalizer.managedresource.crossplane.io", "the Crossplane provider", "the resource at the cloud provider, which goes on costing"),
    entry("controller.cattle.io/*", "Rancher", "role bindings and project data that Rancher made"),
    entry("wrangler.cattle.io/*", "Rancher", "objects that Rancher made for this one"),
    entry("kubevirt.io/*", "KubeVirt", "a virtual machine's process or its disks"),
    entry("longhorn.io", "Longhorn", "replicas of the volume on the nodes' disks"),
    entry("ceph.rook.io/*", "Rook", "pools, data or daemons in the Ceph cluster"),
    entry("cephcluster.ceph.rook.io", "Rook", "the Ceph cluster's data on the nodes' disks"),
    entry("istio-finalizer.install.istio.io", "the Istio operator", "the control plane that it installed"),
    entry("strimzi.io/*", "Strimzi", "topics in the Kafka cluster"),
    entry("karpenter.sh/termination", "Karpenter", "the machine at the cloud provider, which goes on costing"),
    entry("machine.cluster.x-k8s.io", "Cluster API", "the machine at the infrastructure provider"),
];
