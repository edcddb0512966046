import APIModels
import AgentCommands
import IntegrationKit
import Logging
import Model
import StandIns
import Store
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import ControllerCore

/// Messages to a receiver that checks them by itself, and that fails in every way. `EndToEnd` has the whole controller.
@Suite(.timeLimit(.minutes(3))) struct OutboxTests {
    /// A clock that moves only when told.
    final class Clock: Sendable {
        private let now = Mutex(Timestamp.now())
        func advance(_ time: Duration) { now.withLock { $0 = $0 + time } }
        var time: Timestamp { now.withLock { $0 } }
        var port: ClockPort { ClockPort(now: { self.time }, pause: { _ in }, timer: { _ in }) }
    }

    /// A core with a receiver.
    struct Post: Sendable {
        let store: Store
        let clock: Clock
        let operations: Operations
        let delivery: OutboxDelivery
        let receiver: StandIns
        static let by = Requester(name: "test")

        func url(_ path: String) -> String { receiver.url(.receiver) + path }

        func webhook(
            _ path: String = "/a", customer: String? = nil, events: [String] = []
        ) async throws -> String {
            let made = try await operations.addWebhook(
                WebhookOrder(
                    name: path, url: url(path), customer: customer, events: events, authority: nil,
                    allowsPrivate: true), by: Self.by)
            try await receiver.change(.receiver, ["secrets": [path: [.string(made.secret ?? "")]]])
            return made.id
        }

        /// Something happens to a service.
        func tell(_ kind: EventKind, _ service: String = "svc_1", customer: String = "c1") async throws {
            let record = ServiceRecord(
                id: service, externalID: "bill-\(service)", customer: customer, plan: "small", createdAt: clock.time,
                updatedAt: clock.time)
            try await store.atomically { store throws(StoreError) in
                try store.announce(kind, of: record, at: clock.time)
            }
        }

        /// What came, as `PATH KIND SUBJECT`.
        func got() async throws -> [String] {
            try await receiver.state(.receiver)["got"]?.asArray?.map { one in
                let words = ["path", "type", "subject"].map { one[$0]?.asString ?? "" }
                return words.joined(separator: " ").replacing("innkeeper.service.", with: "")
            } ?? []
        }

        func messages(_ state: OutboxRecord.State? = nil) async throws -> [OutboxRecord] {
            try await store.messages(OutboxFilter(state: state)).items.reversed()
        }

        func findings() async throws -> [String] {
            try await store.findings(FindingFilter(withResolved: false)).items.map(\.kind).sorted()
        }
    }

    private func with(
        timeout: Duration = .seconds(10), _ body: (Post) async throws -> Void
    ) async throws {
        try await StandIns.withReceiver { receiver in
            let folder = try ScratchFolder("outbox")
            let store = try Store(path: folder.file("store.db"))
            let clock = Clock()
            var (ports, logger) = (Ports(), Logger(label: "test"))
            (ports.http, logger.logLevel) = (.fetch(), .critical)
            let dependencies = Dependencies(
                store: store,
                agents: AgentsPort(
                    perform: { _, _ throws(AgentError) in
                        throw AgentError(retryable: true, code: "unreachable", message: "")
                    }, connected: { [] }, revoke: { _ in }), ports: ports,
                catalogue: Catalogue(products: [], types: []), clock: clock.port, logger: logger)
            let post = Post(
                store: store, clock: clock, operations: Operations(dependencies: dependencies),
                delivery: OutboxDelivery(dependencies: dependencies, timeout: timeout), receiver: receiver)
            try await body(post)
            await store.close()
            #expect(try await receiver.violations(.receiver) == [])
        }
    }

    @Test func `a message arrives once, signed, as an event`() async throws {
        try await with { post in
            _ = try await post.webhook("/a")
            _ = try await post.webhook("/mine", customer: "c1", events: [EventKind.up.rawValue])
            _ = try await post.webhook("/theirs", customer: "c2")
            try await post.tell(.up)
            try await post.tell(.suspended)
            for _ in 1...3 { await post.delivery.round() }
            let got = try await post.got()
            #expect(
                got.sorted() == ["/a suspended service/svc_1", "/a up service/svc_1", "/mine up service/svc_1"])
            #expect(got.filter { $0.hasPrefix("/a") } == ["/a up service/svc_1", "/a suspended service/svc_1"])
            let data = try await post.receiver.state(.receiver)["got"]?.asArray?.first?["data"]
            #expect(data?["external_id"] == "bill-svc_1" && data?["customer"] == "c1" && data?["node"] == nil)
            #expect(try await post.messages().allSatisfy { $0.state == .delivered && $0.attempts == 1 })
        }
    }

    @Test func `what fails is tried later, its subject waits for it, and others do not`() async throws {
        try await with { post in
            _ = try await post.webhook()
            try await post.receiver.fault(.receiver, ["on": "POST", "kind": "status", "status": 400])
            try await post.tell(.up, "svc_1")
            try await post.tell(.suspended, "svc_1")
            try await post.tell(.up, "svc_2")
            await post.delivery.round()
            #expect(try await post.got() == ["/a up service/svc_2"])
            let first = try #require(try await post.messages(.waiting).first)
            #expect(first.attempts == 1 && first.status == 400 && first.problem == "it answered with 400")
            post.clock.advance(.seconds(4))
            await post.delivery.round()
            #expect(try await post.got().count == 1)
            post.clock.advance(.seconds(2))
            await post.delivery.round()
            #expect(
                try await post.got() == [
                    "/a up service/svc_2", "/a up service/svc_1", "/a suspended service/svc_1",
                ])
        }
    }

    @Test func `a receiver that is not well is left alone for a while, and longer as asked`() async throws {
        try await with { post in
            _ = try await post.webhook()
            try await post.receiver.fault(
                .receiver,
                ["on": "POST", "kind": "status", "status": 503, "headers": ["Retry-After": "40"]])
            for service in 1...5 { try await post.tell(.up, "svc_\(service)") }
            await post.delivery.round()
            await post.delivery.round()
            #expect(try await post.receiver.log(.receiver).count == 1)
            post.clock.advance(.seconds(39))
            await post.delivery.round()
            #expect(try await post.receiver.log(.receiver).count == 1)
            post.clock.advance(.seconds(2))
            await post.delivery.round()
            #expect(try await post.got().count == 5)
        }
    }

    @Test func `a receiver that hangs holds up nobody else`() async throws {
        try await with(timeout: .seconds(3)) { post in
            _ = try await post.webhook("/slow")
            _ = try await post.webhook("/fast")
            try await post.receiver.fault(
                .receiver, ["on": "/slow", "kind": "slow", "seconds": 20, "times": 9])
            try await post.tell(.up)
            async let round: Void = post.delivery.round()
            #expect(try await eventually { try await post.got() == ["/fast up service/svc_1"] })
            #expect(try await post.messages(.waiting).map(\.attempts) == [0])
            await round
            #expect(try await post.messages(.waiting).first?.problem?.contains("within") == true)
        }
    }

    @Test func `an answer that got lost is a second message with the same id`() async throws {
        try await with { post in
            _ = try await post.webhook()
            try await post.receiver.fault(.receiver, ["on": "POST", "kind": "lost"])
            try await post.tell(.up)
            await post.delivery.round()
            post.clock.advance(.seconds(6))
            await post.delivery.round()
            let ids = try await post.receiver.state(.receiver)["got"]?.asArray?.compactMap { $0["id"]?.asString } ?? []
            #expect(ids.count == 2 && Set(ids).count == 1)
        }
    }

    @Test func `a receiver that is gone is switched off, and what waits can be replayed`() async throws {
        try await with { post in
            let id = try await post.webhook()
            try await post.receiver.change(.receiver, ["gone": ["/a"]])
            try await post.tell(.up)
            try await post.tell(.suspended)
            await post.delivery.round()
            #expect(try await post.store.webhook(id)?.disabledAt != nil)
            #expect(try await post.findings() == ["webhook.disabled"])
            #expect(try await post.messages(.dead).count == 2)
            try await post.tell(.resumed)
            #expect(try await post.messages().count == 2)
            let refused = await refusal { _ = try await post.operations.replayWebhook(id, by: Post.by) }
            #expect(refused == "notAllowedInState")

            try await post.receiver.change(.receiver, ["gone": []])
            _ = try await post.operations.updateWebhook(id, WebhookChange(enabled: true), by: Post.by)
            #expect(try await post.operations.replayWebhook(id, by: Post.by) == 2)
            await post.delivery.round()
            #expect(try await post.got() == ["/a up service/svc_1", "/a suspended service/svc_1"])
            #expect(try await post.findings() == [])
        }
    }

    @Test func `after three days a message is given up, the next has its turn, and a replay brings it back`()
        async throws
    {
        try await with { post in
            let id = try await post.webhook()
            try await post.receiver.fault(
                .receiver, ["on": "POST", "kind": "status", "status": 404, "times": 10])
            try await post.tell(.up)
            try await post.tell(.suspended)
            let start = post.clock.time
            for _ in 1...10 {
                await post.delivery.round()
                if let due = try await post.messages(.waiting).first?.dueAt {
                    post.clock.advance(due - post.clock.time)
                }
            }
            #expect(post.clock.time - start > .seconds(60 * 3600))
            #expect(try await post.messages().map(\.state) == [.dead, .delivered])
            #expect(try await post.findings() == ["webhook.dead_letters"])
            await post.delivery.round()
            #expect(try await post.got() == ["/a suspended service/svc_1"])
            #expect(try await post.operations.replayWebhook(id, by: Post.by) == 1)
            await post.delivery.round()
            #expect(try await post.got().last == "/a up service/svc_1")
            #expect(try await post.findings() == [])
        }
    }

    @Test func `a redirect is not followed`() async throws {
        try await with { post in
            _ = try await post.webhook()
            try await post.receiver.fault(
                .receiver,
                ["on": "POST", "kind": "status", "status": 307, "headers": ["Location": .string(post.url("/b"))]])
            try await post.tell(.up)
            await post.delivery.round()
            #expect(try await post.receiver.log(.receiver) == ["POST /a"])
            #expect(try await post.messages().first?.problem?.contains("redirects are not followed") == true)
        }
    }

    @Test func `without the operator's word no name leads into his network`() async throws {
        try await with { post in
            let port = post.receiver.port(.receiver)
            for host in ["127.0.0.1", "localhost", "10.0.0.1"] {
                let url = "https://\(host):\(port)/secret-path"
                _ = try await post.operations.addWebhook(
                    WebhookOrder(
                        name: host, url: url, customer: "c1", events: [], authority: nil, allowsPrivate: false),
                    by: Post.by)
            }
            try await post.tell(.up)
            await post.delivery.round()
            let problems = try await post.messages().map { $0.problem ?? "" }
            #expect(problems.count == 3)
            for problem in problems {
                #expect(problem.contains("not allowed") && !problem.contains("secret-path"), "\(problem)")
            }
            #expect(try await post.receiver.log(.receiver) == [])
        }
    }

    @Test func `two secrets sign for a day, then the new one alone`() async throws {
        try await with { post in
            let id = try await post.webhook()
            let old = try #require(WebhookSecrets(try await post.store.webhook(id)?.secrets ?? [:])?.current.text)
            let new = try #require(try await post.operations.rotateWebhook(id, by: Post.by).secret)
            try await post.receiver.change(.receiver, ["secrets": ["/a": [.string(old), .string(new)]]])
            try await post.tell(.up)
            await post.delivery.round()
            post.clock.advance(.seconds(24 * 3600 + 1))
            try await post.tell(.suspended)
            await post.delivery.round()
            let matches = try await post.receiver.state(.receiver)["got"]?.asArray?.map { $0["matches"] ?? .null }
            #expect(matches == [[true, true], [false, true]])
        }
    }

    @Test func `who takes nothing for twenty thousand messages is told no more`() async throws {
        try await with { post in
            let id = try await post.webhook()
            let (time, destination) = (post.clock.time, "webhook/\(id)")
            try await post.store.atomically { store throws(StoreError) in
                for number in 0..<20_000 {
                    try store.post(
                        OutboxRecord(
                            id: "msg_\(number)", destination: destination, subject: "service/\(number)", kind: "k",
                            body: [:], createdAt: time))
                }
            }
            try await post.tell(.up)
            #expect(try await post.store.webhook(id)?.disabledBecause == "20000 messages wait for it")
            #expect(try await post.findings() == ["webhook.disabled"])
            #expect(try await !post.store.hasMessages(10_001, in: .dead, for: destination))
        }
    }

    @Test func `what was given up makes room for more, and to try it again closes nothing`() async throws {
        try await with { post in
            let id = try await post.webhook()
            let (time, destination) = (post.clock.time, "webhook/\(id)")
            try await post.store.atomically { store throws(StoreError) in
                for number in 0..<10_500 {
                    try store.post(
                        OutboxRecord(
                            id: "msg_\(number)", destination: destination, subject: "service/\(number)", kind: "k",
                            body: [:], createdAt: time))
                }
                try store.giveUp(messagesTo: destination, because: "a test", at: time)
            }
            try await post.tell(.up)
            #expect(try await post.store.webhook(id)?.disabledAt == nil)
            #expect(try await !post.store.hasMessages(10_001, in: .dead, for: destination))
            #expect(
                try await post.store.atomically { store throws(StoreError) in
                    try store.replay(messagesTo: destination, at: time)
                } == 10_000)
            try await post.tell(.up)
            #expect(try await post.store.webhook(id)?.disabledAt == nil)
        }
    }

    @Test(arguments: [
        ("http://example.org/", true), ("http://127.0.0.1/", false), ("https://user:pw@example.org/", false),
        ("https://", false), ("ftp://example.org/", false), ("https://example.org/#x", false),
        ("https://exa mple.org/", false), ("http://127.0.0.1.example.org/", true), ("http://localhost@evil.org/", true),
        ("https://a\\@b/", false),
    ])
    func `a URL that cannot be one is refused by its field`(url: String, allowsPrivate: Bool) {
        #expect(throws: CoreError.self) { try WebhookTarget(url, allowsPrivate: allowsPrivate) }
    }

    /// The published example of Standard Webhooks.
    @Test func `a signature is as the standard has it`() {
        let secret = WebhookSecret(text: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        let signature = secret.signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8))
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    private func refusal(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch { return "\(Mirror(reflecting: error).children.first?.label ?? "")" }
    }
}
