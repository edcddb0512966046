extension Grammar {
    /// RFC 1123 label.
    package static let namespaceName = Grammar(
        "namespace", "1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit", isHostLabel)

    /// What Helm takes for a release, less what would be a flag.
    package static let releaseName = Grammar(
        "release", "1 to 53 of a-z, 0-9, - and ., where each part begins and ends with a letter or digit"
    ) { text in text.count <= 53 && isSubdomain(text) }

    /// RFC 1123 subdomain: pods, jobs and what else Kubernetes names.
    package static let kubernetesName = Grammar(
        "name of an object", "1 to 253 of a-z, 0-9, - and ., where each part begins and ends with a letter or digit"
    ) { text in text.count <= 253 && isSubdomain(text) }

    /// The name of a chart in a repository, without the repository's alias: what has a slash could be a folder.
    package static let chartName = Grammar(
        "chart name", "1 to 128 letters, digits, -, _ and ., beginning with a letter or digit"
    ) { text in startsAlphanumeric(text, length: 1...128, inner: "-_.") }

    /// One version, not a range of them.
    package static let chartVersion = Grammar(
        "chart version", "1 to 128 letters, digits, ., - and +, beginning with a letter or digit"
    ) { text in startsAlphanumeric(text, length: 1...128, inner: ".-+") }

    /// `oci://host[:port]/path`, without a tag: the version stands apart.
    package static let ociChart = Grammar(
        "chart in a registry", "oci://host[:port]/path of at most 512 characters, path in lower case"
    ) { text in
        guard text.count <= 512, text.starts(with: "oci://".utf8) else { return false }
        let reference = text.dropFirst(6)
        let parts = reference.split(separator: 0x2F, omittingEmptySubsequences: false)
        guard parts.count > 1, let last = parts.last, !last.contains(0x3A), !reference.contains(0x40) else {
            return false
        }
        return isImageReference(reference)
    }

    /// `https://host[:port]/path`; neither a user nor a query, since what it holds is seen in lists of processes.
    package static let chartRepository = Grammar(
        "chart repository", "https://host[:port]/path of at most 512 characters, without user, query and fragment"
    ) { text in
        guard text.count <= 512, text.starts(with: "https://".utf8) else { return false }
        let rest = text.dropFirst(8)
        guard let first = rest.first, first.isAlphanumeric else { return false }
        return rest.allSatisfy { $0.isAlphanumeric || $0.isOne(of: "-._~/:%") }
    }

    /// What libvirt takes for a domain, less what a folder or a command line reads in its own way.
    package static let virtualMachineName = Grammar(
        "name of a virtual machine",
        "1 to 200 bytes of text without / and control characters, not beginning with a dot or a dash"
    ) { text in
        guard let first = text.first, text.count <= 200, first != 0x2E, first != 0x2D, first != 0x20 else {
            return false
        }
        return text.allSatisfy { $0 != 0x2F && $0 >= 0x20 && $0 != 0x7F }
    }

    private static func isSubdomain(_ text: ArraySlice<UInt8>) -> Bool {
        text.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy(isHostLabel)
    }
}
