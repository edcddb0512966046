import DriverKit
import Model
import WireProtocol

extension Policy {
    /// What a driver can do on this node, and what of it the policy lets it do.
    func catalogue(of driver: any Driver) -> [ActionReport] {
        let driverName = type(of: driver).name
        return driver.actions.prefix(ActionReport.maximumCount).map { spec in
            ActionReport(
                name: spec.name, kind: spec.kind == .observe ? .observe : .mutate, summary: spec.summary,
                deadlineMs: max(1, spec.defaultDeadline.wholeMilliseconds), guarded: spec.isGuarded,
                allowed: mayAllow("\(driverName).\(spec.name)", guarded: spec.isGuarded), input: spec.input.report,
                output: spec.givesBytes, resource: spec.resource, arguments: spec.arguments?.schema,
                secrets: spec.secrets.isEmpty ? nil : spec.secrets.schema)
        }
    }
}

extension ActionSpec.Input {
    fileprivate var report: ActionInput {
        switch self {
        case .none: .none
        case .always: .always
        case .asked: .asked
        }
    }
}

extension [DriverReport] {
    /// Bytes that the catalogues of a node may take in its `hello`, which has the receipts and facts to carry too.
    private static var catalogueRoom: Int { 512 << 10 }

    /// Without schemas, and then without catalogues, where they would crowd out the rest: a node must be seen in any case.
    var fitting: [DriverReport] {
        if catalogueBytes <= Self.catalogueRoom { return self }
        let plain = map { report in
            var report = report
            report.catalogue = report.catalogue?.map(\.withoutSchemas)
            return report
        }
        if plain.catalogueBytes <= Self.catalogueRoom { return plain }
        return map { report in
            var report = report
            report.catalogue = nil
            return report
        }
    }

    private var catalogueBytes: Int { flatMap { $0.catalogue ?? [] }.reduce(0) { $0 + $1.encodedBytes } }
}

extension ActionReport {
    fileprivate var withoutSchemas: ActionReport {
        var report = self
        (report.arguments, report.secrets) = (nil, nil)
        return report
    }

    fileprivate var encodedBytes: Int {
        let texts: [String] = [name, summary, resource ?? ""]
        let schemas = [arguments, secrets].compactMap { $0?.encoded.count }
        return texts.reduce(144) { $0 + $1.utf8.count } + schemas.reduce(0, +)
    }
}
