import DriverKit
import WireProtocol

/// Whether a chart may be used on this node with these values, by what Helm would make of them.
extension HelmDriver {
    /// Renders the chart as the change would and reads every manifest, those of hooks, tests and definitions among them.
    /// - Parameter isUpgrade: whether there is a release already.
    /// - Throws: `permissionDenied` with every wish that this node refuses, or where the outcome cannot be judged.
    func admit(
        _ spec: ReleaseSpec, _ values: JSONValue, _ chart: ChartIdentity, of release: ReleaseID, isUpgrade: Bool
    ) async throws(DriverError) {
        var findings: [ChartFinding] = []
        if values.hasTemplate { findings.append(ChartFinding(.templates, "values with {{")) }
        let words =
            ["template", "--namespace", release.namespace, "--values", "-", "--include-crds"]
            + (isUpgrade ? ["--is-upgrade"] : []) + spec.chart.options(version: spec.version(of: chart))
            + ["--", release.name, spec.chart.operand]
        let text = try await tools.look(.helm, words, input: ReleaseSpec.file(values), within: .seconds(120))
        do throws(RenderedChart.Unreadable) {
            findings += ChartCheck(try RenderedChart(text), in: release.namespace).findings
        } catch {
            throw DriverError(.permissionDenied, "what the chart would make cannot be judged", cause: error.problem)
        }
        let refused = findings.filter { finding in finding.risk.map { !tools.allows.contains($0) } ?? true }
        guard refused.isEmpty else {
            throw DriverError(
                .permissionDenied, "the chart asks for what this node does not allow",
                cause: refused.prefix(20).map(\.text).joined(separator: "; "))
        }
    }
}

extension ReleaseSpec {
    /// What Helm is told; a chart on the node is the one that lies there.
    func version(of chart: ChartIdentity) -> String? { self.chart.operand.hasPrefix("/") ? nil : chart.version }
}

extension JSONValue {
    /// Whether a text or a name in it begins a template.
    fileprivate var hasTemplate: Bool {
        switch self {
        case .string(let text): text.contains("{{")
        case .array(let items): items.contains(where: \.hasTemplate)
        case .object(let object): object.members.contains { $0.key.contains("{{") || $0.value.hasTemplate }
        default: false
        }
    }
}
