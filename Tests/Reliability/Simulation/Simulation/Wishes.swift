/// What the program was asked for.
struct Wishes {
    var seeds: UInt64 = 100
    var first: UInt64 = 1
    var seed: UInt64?
    var plant: Plant?
    var jobs = 2
    /// Runs each seed twice and compares the fingerprints.
    var isTwice = false
    var keepsGoing = false
    var isQuiet = false

    init(_ arguments: [String]) throws(WishError) {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--seeds": seeds = try Self.number(&rest, word)
            case "--first": first = try Self.number(&rest, word)
            case "--seed": seed = try Self.number(&rest, word)
            case "--jobs": jobs = Int(clamping: max(1, try Self.number(&rest, word)))
            case "--plant":
                guard let name = rest.popFirst(), let known = Plant(rawValue: name) else {
                    let names = Plant.allCases.map(\.rawValue).joined(separator: ", ")
                    throw WishError(text: "--plant takes one of: \(names)")
                }
                plant = known
            case "--twice": isTwice = true
            case "--keep-going": keepsGoing = true
            case "--quiet": isQuiet = true
            default: throw WishError(text: "unknown argument \(word)")
            }
        }
    }

    private static func number(_ rest: inout ArraySlice<String>, _ name: String) throws(WishError) -> UInt64 {
        guard let text = rest.popFirst(), let number = UInt64(text) else {
            throw WishError(text: "\(name) takes a number")
        }
        return number
    }
}

struct WishError: Error { let text: String }
