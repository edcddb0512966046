/// A JSON object that keeps its members in the order in which they came.
///
/// Two objects are equal when they hold the same members in any order. Keys are compared byte by byte, and by hash once
/// there are many, so an object built to be slow to read is not.
package struct JSONObject: Sendable {
    package struct Member: Sendable, Hashable {
        package let key: String
        package internal(set) var value: JSONValue
    }

    /// In order; keys are unique.
    package private(set) var members: [Member] = []
    /// Where each key stands; only kept above `indexThreshold` members.
    private var places: [KeyBytes: Int]?

    private static let indexThreshold = 16

    package init() {}

    /// A later value for the same key replaces the earlier one.
    package init(_ members: some Sequence<(String, JSONValue)>) {
        for (key, value) in members { self[key] = value }
    }

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }
    package var keys: [String] { members.map(\.key) }

    package subscript(key: String) -> JSONValue? {
        get { place(of: key).map { members[$0].value } }
        set {
            switch (place(of: key), newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): remove(at: place)
            case (nil, let value?): append(key, value)
            case (nil, nil): break
            }
        }
    }

    /// False, and nothing changed, when the key is there already.
    mutating func insert(_ key: String, _ value: JSONValue) -> Bool {
        guard place(of: key) == nil else { return false }
        append(key, value)
        return true
    }

    private func place(of key: String) -> Int? {
        if let places { return places[KeyBytes(key)] }
        return members.firstIndex { KeyBytes($0.key) == KeyBytes(key) }
    }

    private mutating func append(_ key: String, _ value: JSONValue) {
        members.append(Member(key: key, value: value))
        if places != nil {
            places?[KeyBytes(key)] = members.count - 1
        } else if members.count > Self.indexThreshold {
            indexMembers()
        }
    }

    private mutating func remove(at place: Int) {
        members.remove(at: place)
        if places != nil { indexMembers() }
    }

    private mutating func indexMembers() {
        places = Dictionary(uniqueKeysWithValues: members.enumerated().map { (KeyBytes($1.key), $0) })
    }
}

/// A key as its bytes: Swift's own comparison would normalise, which makes two keys one and can take long.
private struct KeyBytes: Hashable {
    private let text: String

    init(_ text: String) { self.text = text }

    static func == (left: KeyBytes, right: KeyBytes) -> Bool {
        left.text.utf8.count == right.text.utf8.count && left.text.utf8.elementsEqual(right.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension JSONObject: Hashable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        hasher.combine(members.reduce(0) { $0 ^ $1.hashValue })
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements)
    }
}
