import DriverKit
import Glibc
import Processes

/// The two command lines of a Kubernetes host and what every call of them has to know.
///
/// They run without a shell and in an environment of their own: what an operator has set for himself (another namespace,
/// another cluster, plugins) has no say here.
package struct HelmTools: Sendable {
    enum Tool: String { case helm, kubectl }

    /// First words of each command line.
    package let helm: [String]
    package let kubectl: [String]
    /// File that says which cluster, and as whom. Absent: what the tools find themselves below `/root/.kube`.
    let kubeconfig: String?
    /// One of the clusters in that file; absent: the one that is current there.
    let context: String?
    /// Folder for Helm's cache, configuration and data; made by Helm.
    let home: String
    /// Beginnings of the charts that may be used (`/srv/charts/`, `oci://registry.example/`, `https://charts.example/`);
    /// nil for any.
    let chartSources: [String]?
    /// What charts may ask for although it can make them masters of the node.
    let allows: Set<ChartRisk>
    /// Time limit of a command that only looks.
    let patience: Duration
    /// Time from TERM to KILL of a command that changes something. Helm uses it to write down that it was cancelled.
    let grace: Duration

    package static let defaultHome = "/var/cache/innkeeper-agent/helm"
    /// Where a kubeconfig is looked for, in this order.
    static let usualClusterFiles = ["/root/.kube/config", "/etc/rancher/k3s/k3s.yaml", "/etc/kubernetes/admin.conf"]
    private static let limit = 16 << 20

    package init(
        helm: [String], kubectl: [String], kubeconfig: String? = nil, context: String? = nil,
        home: String = defaultHome, chartSources: [String]? = nil, allows: Set<ChartRisk> = [],
        patience: Duration = .seconds(30), grace: Duration = .seconds(12)
    ) {
        (self.helm, self.kubectl, self.kubeconfig, self.context) = (helm, kubectl, kubeconfig, context)
        (self.home, self.chartSources, self.allows) = (home, chartSources, allows)
        (self.patience, self.grace) = (patience, grace)
    }

    /// The tools in the system's directories below `root`; nil when one of them is missing.
    package static func installed(
        root: String = "", kubeconfig: String? = nil, context: String? = nil, home: String? = nil,
        chartSources: [String]? = nil, allows: Set<ChartRisk> = []
    ) -> HelmTools? {
        func find(_ name: String) -> String? {
            ["/usr/local/bin", "/usr/bin", "/snap/bin"].map { "\(root)\($0)/\(name)" }.first { access($0, X_OK) == 0 }
        }
        guard let helm = find("helm"), let kubectl = find("kubectl") else { return nil }
        let found = usualClusterFiles.map { root + $0 }.first { access($0, R_OK) == 0 }
        return HelmTools(
            helm: [helm], kubectl: [kubectl], kubeconfig: kubeconfig ?? found, context: context,
            home: home ?? defaultHome, chartSources: chartSources, allows: allows)
    }

    /// Runs a command that only looks, with a time limit of its own.
    /// - Parameter input: what it reads on its standard input.
    func look(
        _ tool: Tool, _ arguments: [String], input: [UInt8]? = nil, within limit: Duration? = nil
    ) async throws(DriverError) -> [UInt8] {
        var request = request(tool, arguments)
        if let input { request.standardInput = .bytes(input) }
        request.deadline = limit ?? patience
        let outcome = try await run(request, tool)
        try Self.check(outcome, tool)
        if outcome.truncated { throw DriverError(.failed, "\(tool) printed more than 16 MiB") }
        return outcome.stdout
    }

    /// Runs a command that changes something. It ends when it ends, or when the caller is cancelled.
    /// - Parameter input: what it reads on its standard input.
    func act(_ tool: Tool, _ arguments: [String], input: [UInt8]? = nil) async throws(DriverError) {
        var request = request(tool, arguments)
        request.grace = grace
        // What Helm prints are a chart's notes, which may hold passwords: nobody reads them.
        request.outputLimit = 64 << 10
        if let input { request.standardInput = .bytes(input) }
        try Self.check(await run(request, tool), tool)
    }

    /// Runs a command whose output goes to whoever asked, as fast as it is taken.
    func relay(
        _ tool: Tool, _ arguments: [String], within limit: Duration?, _ take: @escaping Child.Consumer
    ) async throws(DriverError) {
        var request = request(tool, arguments)
        request.deadline = limit
        request.outputLimit = 4096
        do {
            try Self.check(await Child.run(request, onOutput: take), tool)
        } catch let error as ProcessError {
            throw DriverError(error, tool)
        } catch let error as DriverError {
            throw error
        } catch {
            throw DriverError(.failed, "\(error)")
        }
    }

    private func run(_ request: ProcessRequest, _ tool: Tool) async throws(DriverError) -> ProcessOutcome {
        do { return try await Child.run(request) } catch { throw DriverError(error, tool) }
    }

    private func request(_ tool: Tool, _ arguments: [String]) -> ProcessRequest {
        let words = tool == .helm ? helm : kubectl
        var environment = ["HOME": "/root"]
        var cluster: [String] = []
        if let kubeconfig {
            cluster += ["--kubeconfig", kubeconfig]
            environment["KUBECONFIG"] = kubeconfig
        }
        if let context { cluster += [tool == .helm ? "--kube-context" : "--context", context] }
        if tool == .helm {
            environment["HELM_CACHE_HOME"] = "\(home)/cache"
            environment["HELM_CONFIG_HOME"] = "\(home)/config"
            environment["HELM_DATA_HOME"] = "\(home)/data"
            environment["HELM_NO_PLUGINS"] = "1"
        }
        return ProcessRequest(
            words[0], words.dropFirst() + arguments.prefix(1) + cluster + arguments.dropFirst(),
            environment: environment, outputLimit: Self.limit)
    }

    private static func check(_ outcome: ProcessOutcome, _ tool: Tool) throws(DriverError) {
        let said = HelmFailure.words(outcome.errorText)
        switch outcome.ended {
        case .deadline: throw DriverError(.timedOut, "\(tool) did not answer in time", cause: said)
        case .cancelled:
            let how = outcome.killed ? "did not obey and was killed" : "was stopped"
            throw DriverError(.cancelled, "\(tool) \(how)", cause: said)
        case .itself: if outcome.exit != .code(0) { throw HelmFailure.error(outcome, "\(tool)") }
        }
    }
}

extension DriverError {
    fileprivate init(_ error: ProcessError, _ tool: HelmTools.Tool) {
        switch error {
        case .cancelled: self.init(.cancelled, "cancelled before \(tool) was started")
        case .notFound, .notStarted: self.init(.unavailable, "\(tool) cannot be started", cause: error.description)
        case .notPermitted: self.init(.permissionDenied, "\(tool) may not be run", cause: error.description)
        case .unstoppable, .lost: self.init(.unknownOutcome, "the end of \(tool) is unknown", cause: error.description)
        }
    }
}
