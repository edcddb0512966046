import ControllerCore
import Store
import WireProtocol

extension WordPress {
    /// What whoever sees a site may know of it: `host`, `url`, `vmid`, `private_address`, `addresses` (where its name leads to; none where
    /// those of the proxy are meant), `proxy`, `snapshots` (the oldest first), `versions`.
    @Sendable static func shown(_ service: ServiceRecord) -> JSONObject {
        let address = service.address
        var shown: JSONObject = [:]
        for key in ["host", "url", "vmid"] { shown[key] = address[key] }
        shown["private_address"] = address["target"]
        shown["addresses"] = service.spec["addresses"] ?? .array([])
        shown["proxy"] = service.spec["proxy"]
        shown["snapshots"] = service.observed["snapshots"] ?? .array([])
        shown["versions"] = service.observed["wordpress"]
        return shown
    }
}
