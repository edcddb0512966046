import DriverKit
import WireProtocol

extension NodeBind {
    /// An entry of a listing; nil for a volume.
    init?(_ value: JSONValue) {
        guard value["Type"]?.asString == "bind", let source = value["Source"]?.asString else { return nil }
        self.init(source: source, isReadOnly: value["RW"]?.asBool == false)
    }
}
