import CZlib

/// Makes long answers short for callers who can read gzip.
enum Gzip {
    /// Below it the head of the answer is most of what goes over the wire.
    static let threshold = 1024

    /// Whether an `Accept-Encoding` takes gzip: it is named with a weight above nothing, or a star is and it is not ruled out.
    static func isAccepted(_ field: String?) -> Bool {
        var (named, star): (Double?, Double?) = (nil, nil)
        for part in (field ?? "").lowercased().split(separator: ",").prefix(32) {
            let pieces = part.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            let weight = pieces.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            switch pieces.first {
            case "gzip", "x-gzip": named = max(named ?? 0, weight)
            case "*": star = weight
            default: break
            }
        }
        return (named ?? star ?? 0) > 0
    }

    /// Nil where it would not be shorter.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        let size = innkeeper_gzip_bound(bytes.count)
        let compressed = [UInt8](unsafeUninitializedCapacity: size) { room, count in
            count = innkeeper_gzip(bytes, bytes.count, room.baseAddress, size)
        }
        return compressed.isEmpty || compressed.count >= bytes.count ? nil : compressed
    }
}
