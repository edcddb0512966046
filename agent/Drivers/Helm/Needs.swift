package import DriverKit

extension HelmDriver {
    package func needs() async -> [Need] {
        [cluster, Need.folder(tools.home, for: "Helm's own files")]
    }

    private var cluster: Need {
        let purpose = "everything: it says which cluster, and as whom"
        let advice = "make it, or name another one as \"kubeconfig\" in the configuration"
        guard let file = tools.kubeconfig else {
            let usual = HelmTools.usualClusterFiles
            return Need(
                usual[0], for: purpose, vital: true,
                problem: "there is no kubeconfig: none of \(usual.joined(separator: ", ")) can be read", advice: advice)
        }
        return Need.readable(file, for: purpose, vital: true, advice: advice)
    }
}
