import APIModels
import Model
import Store
import WireProtocol

extension OutputPiece {
    init(_ chunk: OutputChunk) {
        let text = String(validating: chunk.bytes, as: UTF8.self)
        self.init(
            stream: chunk.stream.code, offset: chunk.offset, text: text,
            base64: text == nil ? Base64.encode(chunk.bytes) : nil)
    }
}

extension ActionOffer {
    static func all(in catalogue: JSONValue?) -> [ActionOffer] {
        (catalogue?.asArray ?? []).flatMap { entry -> [ActionOffer] in
            guard let driver = entry["driver"]?.asString else { return [] }
            return (entry["operations"]?.asArray ?? []).compactMap { ActionOffer($0, of: driver) }
        }
    }

    private init?(_ offer: JSONValue, of driver: String) {
        guard let name = offer["name"]?.asString, let kind = offer["kind"]?.asString else { return nil }
        self.init(
            driver: driver, name: "\(driver).\(name)", kind: kind, summary: offer["summary"]?.asString ?? "",
            deadlineSeconds: ((offer["deadline_ms"]?.asInteger ?? 0) + 999) / 1000,
            guarded: offer["guarded"]?.asBool ?? false, allowed: offer["allowed"]?.asBool ?? false,
            input: offer["input"]?.asString, output: offer["output"]?.asBool, resource: offer["resource"]?.asString,
            arguments: offer["arguments"], secrets: offer["secrets"])
    }
}
