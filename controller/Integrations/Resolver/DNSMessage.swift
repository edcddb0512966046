import CLibResolv
import ControllerCore
import Model

/// A question and what an answer to it says. The answer comes from anybody.
struct DNSQuery: Sendable {
    typealias RecordType = ResolverPort.RecordType

    let name: String
    let type: RecordType
    let id: UInt16
    let bytes: [UInt8]

    /// Nil for what is no name.
    init?(_ name: String, _ type: RecordType, recurse: Bool) {
        var room = [UInt8](repeating: 0, count: Int(INNKEEPER_DNS_QUERY))
        id = UInt16.random(in: .min ... .max)
        let length = innkeeper_dns_query(name, type.number, recurse ? 1 : 0, id, &room)
        guard length > 0 else { return nil }
        (self.name, self.type) = (name, type)
        bytes = Array(room.prefix(Int(length)))
    }
}

struct DNSAnswer: Sendable, Hashable {
    /// 0: there is the name; 3: there is not.
    var code: Int
    /// Of the type that was asked for, under the name that aliases lead to.
    var values: [String] = []
    /// The name that aliases lead to, where it is another one.
    var alias: String?
}

extension ResolverPort.RecordType {
    var number: Int32 {
        switch self {
        case .a: 1
        case .ns: 2
        case .cname: 5
        case .txt: 16
        case .aaaa: 28
        }
    }
}

extension DNSQuery {
    private static let mostRecords = 500
    private static let mostAliases = 8

    /// Whether the bytes begin as an answer to this question does; others are no concern of ours.
    func isAnswered(by bytes: [UInt8]) -> Bool {
        bytes.count >= 12 && bytes[0] == UInt8(id >> 8) && bytes[1] == UInt8(id & 0xFF) && bytes[2] & 0x80 != 0
    }

    static func isCut(_ bytes: [UInt8]) -> Bool { bytes.count > 2 && bytes[2] & 0x02 != 0 }

    /// Nil for what is no answer to this question.
    func answer(_ bytes: [UInt8]) -> DNSAnswer? {
        guard isAnswered(by: bytes) else { return nil }
        let reader = Reader()
        let code = withExtendedLifetime(reader) {
            innkeeper_dns_read(bytes, Int32(bytes.count), Unmanaged.passUnretained(reader).toOpaque()) {
                context, record in
                Unmanaged<Reader>.fromOpaque(context!).takeUnretainedValue().take(record!.pointee) ? 1 : 0
            }
        }
        guard code >= 0, reader.question?.name == name.lowercased(), reader.question?.type == type.number else {
            return nil
        }
        var answer = DNSAnswer(code: Int(code))
        var owner = name.lowercased()
        if type != .cname {
            for _ in 0..<Self.mostAliases {
                guard let alias = reader.records.first(where: { $0.name == owner && $0.type == 5 }) else { break }
                owner = alias.value
            }
            if owner != name.lowercased() { answer.alias = owner }
        }
        let values = reader.records.filter { $0.name == owner && $0.type == type.number }.map(\.value)
        answer.values = Array(Set(values)).sorted()
        return answer
    }

    /// Collects what the C reader visits.
    private final class Reader {
        struct Record {
            var name: String
            var type: Int32
            var value: String
        }

        var question: (name: String, type: Int32)?
        var records: [Record] = []

        func take(_ record: innkeeper_dns_record) -> Bool {
            let name = Self.name(String(cString: record.name))
            guard record.section != 0 else {
                question = (name, record.type)
                return true
            }
            let data = UnsafeBufferPointer(start: record.data, count: Int(record.length))
            if let value = Self.value(record.type, data, record) {
                records.append(Record(name: name, type: record.type, value: value))
            }
            return records.count < DNSQuery.mostRecords
        }

        private static func value(
            _ type: Int32, _ data: UnsafeBufferPointer<UInt8>, _ record: innkeeper_dns_record
        ) -> String? {
            switch type {
            case 1: AddressText.text(data, .v4)
            case 28: AddressText.text(data, .v6)
            case 2, 5: name(String(cString: record.text))
            case 16: text(data)
            default: nil
            }
        }

        private static func name(_ text: String) -> String {
            (text.hasSuffix(".") ? String(text.dropLast()) : text).lowercased()
        }

        /// The strings of a TXT record, together.
        private static func text(_ data: UnsafeBufferPointer<UInt8>) -> String? {
            var (bytes, place) = ([UInt8](), 0)
            while place < data.count {
                let length = Int(data[place])
                guard place + 1 + length <= data.count else { return nil }
                bytes += data[(place + 1)..<(place + 1 + length)]
                place += 1 + length
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
