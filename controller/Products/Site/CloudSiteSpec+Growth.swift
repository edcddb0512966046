import ControllerCore
import WireProtocol

extension CloudSiteSpec {
    /// This specification as a service of another plan has it, then the overrides.
    ///
    /// Quotas, backups, certificate, analytics and the version of PHP are taken over. What kind of site it is and where it lies
    /// stays; a plan that says otherwise is refused, so that a service is never recorded as what it is not.
    func grown(from present: JSONObject?, to plan: JSONObject?, overrides: JSONObject) throws(CoreError)
        -> CloudSiteSpec
    {
        var grown = self
        if let plan {
            let new = try CloudSiteSpec(json: plan, under: "plan")
            let old = present.flatMap { try? CloudSiteSpec(json: $0) } ?? self
            if let field = fixedField(to: new, from: old) {
                throw .invalid(
                    field: "plan",
                    problem: "names a plan with another \(field), which an upgrade cannot change: order a new service")
            }
            grown.sort = sort.taking(new.sort)
            (grown.databases, grown.domains, grown.backups) = (new.databases, new.domains, new.backups)
            (grown.wantsCertificate, grown.analytics) = (new.wantsCertificate, new.analytics)
            grown.labels = new.labels.merging(labels.filter { old.labels[$0.key] != $0.value }) { $1 }
        }
        return try CloudSiteSpec(json: grown.json.merged(with: overrides), under: "overrides")
    }

    private func fixedField(to new: CloudSiteSpec, from old: CloudSiteSpec) -> String? {
        if new.sort.word != sort.word { return "type" }
        let (wanted, own) = (new.sort.fields, sort.fields)
        for key in ["template", "nodejs_version", "python_version", "app_port", "proxy_url"]
        where wanted[key] != nil && wanted[key] != own[key] {
            return key
        }
        return new.nodeLabels != old.nodeLabels && new.nodeLabels != nodeLabels ? "placement.labels" : nil
    }
}

extension CloudSiteSpec.Sort {
    /// Only the version of PHP can become another one.
    fileprivate func taking(_ new: CloudSiteSpec.Sort) -> CloudSiteSpec.Sort {
        guard case .php(_, let template) = self, case .php(let version, _) = new else { return self }
        return .php(version: version, template: template)
    }

    /// Of PHP.
    var phpVersion: String? {
        if case .php(let version, _) = self { return version }
        return nil
    }
}
