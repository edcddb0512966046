package import ControllerCore
import Model

extension DNSRecord.Kind {
    /// What a provider has as the content of a record, as we write it: texts without quotes and whole, names without a dot at the
    /// end, addresses in their one form.
    package func plain(_ content: String) -> String {
        switch self {
        case .txt: RecordText.unquoted(content)
        case .cname: String(content.hasSuffix(".") ? content.dropLast() : content[...]).lowercased()
        case .a, .aaaa: IPAddress(content).map { "\($0)" } ?? content
        }
    }
}

/// The text of a TXT record: character strings in quotes, each of at most 255 bytes.
package enum RecordText {
    package static func quoted(_ text: String) -> String {
        var (parts, rest) = ([String](), Array(text.utf8)[...])
        repeat {
            let part = rest.prefix(255)
            rest = rest.dropFirst(part.count)
            let escaped = part.flatMap { $0 == 0x22 || $0 == 0x5C ? [0x5C, $0] : [$0] }
            parts.append("\"\(String(decoding: escaped, as: UTF8.self))\"")
        } while !rest.isEmpty
        return parts.joined(separator: " ")
    }

    /// What the strings say together; a text that is not quoted is as it is.
    package static func unquoted(_ content: String) -> String {
        let bytes = Array(content.utf8)
        guard bytes.first == 0x22 else { return content }
        var (text, isInside, isEscaped) = ([UInt8](), false, false)
        for byte in bytes {
            if isEscaped {
                text.append(byte)
                isEscaped = false
            } else if byte == 0x5C, isInside {
                isEscaped = true
            } else if byte == 0x22 {
                isInside.toggle()
            } else if isInside {
                text.append(byte)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether it may be the value of a record: visible ASCII, no more than eight strings.
    package static func isValid(_ text: String) -> Bool {
        (1...2040).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
}

extension DNSRecord {
    /// What is wrong with it as a wish; nil when nothing is.
    package var problem: String? {
        guard HostName.isValid(host) else { return "\(host.quotable) is no name of a record" }
        let isRight =
            switch type {
            case .a: IPAddress(value)?.family == .v4
            case .aaaa: IPAddress(value)?.family == .v6
            case .cname: Grammar.domainName.accepts(value)
            case .txt: RecordText.isValid(value)
            }
        guard isRight else { return "\(value.quotable) is no value of a record of type \(type.rawValue)" }
        return (60...86400).contains(ttl) ? nil : "the TTL must be 60 to 86400 seconds"
    }
}
