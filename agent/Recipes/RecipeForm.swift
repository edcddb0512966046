import DriverKit
import Model
import WireProtocol

/// The forms that a parameter of a recipe may have, by the word that `recipe.json` calls them.
enum RecipeForm {
    /// - Throws: what is wrong with the description.
    static func form(_ fields: JSONObject) throws(FieldError) -> ArgumentForm {
        let word = try fields.string("form")
        switch word {
        case "number":
            let least = try fields.optionalInteger("min") ?? 0
            let most = try fields.optionalInteger("max") ?? .max
            guard least <= most else { throw FieldError(path: "max", problem: .value(expected: "no less than min")) }
            return .integer(least...most)
        case "flag": return .bool
        case "choice": return .choice(try fields.strings("words", limit: 64))
        case "text":
            let limit = Int(try fields.optionalInteger("max_bytes", in: 1...4096) ?? 256)
            return .text(
                TextForm("one line of at most \(limit) bytes without control characters") {
                    $0.utf8.count <= limit && isLine($0)
                })
        default:
            guard let form = texts[word] else {
                let known = (texts.keys + ["choice", "flag", "number", "text"]).sorted().joined(separator: ", ")
                throw FieldError(path: "form", problem: .value(expected: "one of \(known)"))
            }
            return .text(form)
        }
    }

    private static let texts: [String: TextForm] = [
        "account": TextForm(.accountName), "domain": TextForm(.domainName), "host": TextForm(.nodeName),
        "identifier": TextForm(.identifier), "path": TextForm(.absolutePath),
        "email": TextForm("an e-mail address of at most 254 characters", isEmail),
        "url": TextForm("an http or https address of at most 1024 characters without user, query and blanks", isURL),
        "sha256": TextForm("64 hexadecimal digits in lower case") {
            $0.utf8.count == 64 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        },
        "networks": TextForm("1 to 32 addresses or ranges such as 10.1.2.0/24, with one blank between", areNetworks),
    ]

    static func isLine(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy {
            $0.properties.generalCategory != .control && $0 != "\u{2028}" && $0 != "\u{2029}"
        }
    }

    private static func isEmail(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard text.utf8.count <= 254, parts.count == 2, (1...64).contains(parts[0].utf8.count),
            Grammar.domainName.accepts(parts[1].lowercased())
        else { return false }
        return parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy(isAtom)
        }
    }

    private static func isAtom(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte)
            || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
    }

    private static func isURL(_ text: String) -> Bool {
        guard text.utf8.count <= 1024, let scheme = ["http://", "https://"].first(where: text.hasPrefix) else {
            return false
        }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        let path = rest.dropFirst(authority.count)
        let isHost =
            Grammar.hostPort.accepts(String(authority)) || Grammar.hostPort.accepts("\(authority):80")
        return isHost && path.utf8.allSatisfy { isAtom($0) && $0 != 0x27 && $0 != 0x60 || "./:@,;()".utf8.contains($0) }
            && !path.utf8.contains(UInt8(ascii: "#")) && !path.utf8.contains(UInt8(ascii: "?"))
    }

    private static func areNetworks(_ text: String) -> Bool {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        return (1...32).contains(words.count) && words.allSatisfy { IPAddress($0) != nil || IPPrefix($0) != nil }
    }
}
