import Model
import Testing

@Suite struct `Identifiers` {
    @Test func `each is greater than the last, and all are different`() {
        let ids = (0..<20_000).map { _ in Identifier.make("op") }
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `tasks that make them together get different ones`() async {
        let ids = await withTaskGroup(of: [String].self) { group in
            for _ in 0..<8 { group.addTask { (0..<500).map { _ in Identifier.make("cmd") } } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(ids).count == 4000)
    }

    @Test func `an id has its prefix, 26 characters and the grammar of ids`() {
        let id = Identifier.make("svc")
        #expect(id.hasPrefix("svc_") && id.utf8.count == 30)
        #expect(Grammar.identifier.accepts(id))
        #expect(Grammar.containerName.accepts(id))
        #expect(Grammar.datasetName.accepts("tank/innkeeper/\(id)"))
        #expect(id.dropFirst(4).allSatisfy { "0123456789abcdefghjkmnpqrstvwxyz".contains($0) })
    }

    @Test(arguments: ["svc", "op", "node", "tok", "key"])
    func `what looks like an id is reserved, in whatever case`(prefix: String) {
        let id = Identifier.make(prefix)
        #expect(Identifier.isReserved(id) && Identifier.isReserved(id.uppercased()))
        #expect(!Identifier.isReserved(String(id.dropLast())) && !Identifier.isReserved("order_" + id.suffix(26)))
        #expect(!Identifier.isReserved("svc_1") && !Identifier.isReserved(""))
    }

    @Test func `a node's name cannot have the form of an id`() {
        #expect(!Grammar.nodeName.accepts(Identifier.make("node")) && !Grammar.nodeName.accepts(".."))
        #expect(!Grammar.planName.accepts(".") && !Grammar.planName.accepts(".."))
    }

    @Test func `the first characters are the time of making`() {
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
        let before = Timestamp.now().milliseconds
        let time = Identifier.make("x").dropFirst(2).prefix(10).reduce(Int64(0)) { value, character in
            value * 32 + Int64(alphabet.firstIndex(of: character) ?? 0)
        }
        #expect((before - 60_000...before + 60_000).contains(time))
    }
}
