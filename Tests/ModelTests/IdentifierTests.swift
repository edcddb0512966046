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

    @Test func `the first characters are the time of making`() {
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
        let before = Timestamp.now().milliseconds
        let time = Identifier.make("x").dropFirst(2).prefix(10).reduce(Int64(0)) { value, character in
            value * 32 + Int64(alphabet.firstIndex(of: character) ?? 0)
        }
        #expect((before - 60_000...before + 60_000).contains(time))
    }
}
