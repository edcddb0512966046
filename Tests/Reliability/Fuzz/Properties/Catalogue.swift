extension FuzzTarget {
    /// Every target, in the order in which `make fuzz` runs them.
    static let all: [FuzzTarget] =
        Wire.targets + JSON.targets + Streams.targets + Engines.targets + Kernel.targets + Samples.targets
        + Names.targets + Files.targets + Requests.targets + Certificates.targets + ProxmoxAnswers.targets
        + ComposeDocuments.targets + NginxFiles.targets + PanelFiles.targets + HelmAnswers.targets
        + LibvirtAnswers.targets + HostAnswers.targets + PoolAnswers.targets
}
