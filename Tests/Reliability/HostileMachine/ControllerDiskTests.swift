import APIModels
import HTTPFetch
import Model
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension HostileMachine {
    /// A disk without room under the controller's data.
    @Suite struct ControllerDiskTests {
        @Test func `a controller without room refuses new work clearly, keeps what it has, and goes on with room`()
            async throws
        {
            let office = try await Office()
            try office.disk.fill()
            office.disk.makeRoom(64 << 10)
            let accepted = try await office.orderUntilRefused()
            let refusal = try await office.refusal()
            #expect(refusal.status == 507, "\(refusal)")
            #expect(refusal.detail.contains("disk is full"), "\(refusal)")
            // Reading goes on.
            #expect(try await office.services().isSuperset(of: accepted))
            #expect(await office.front.isReady())
            let log = office.controller.log
            #expect(!log.contains("fatal") && !log.contains("Fatal"))
            // What comes back after a kill is what was accepted, no less and no more.
            await office.controller.kill()
            office.disk.free()
            try await office.open()
            #expect(try await office.services() == accepted)
            #expect(try await office.order("with-room") != nil)
            await office.close()
        }

        @Test func `agents keep their reports while the controller has no room and deliver them afterwards`()
            async throws
        {
            let office = try await Office()
            let agent = try office.installation.agent("agent", configuration: ["drivers": ["host"]])
            try await office.installation.enrol("agent", label: "role=services")
            try agent.start()
            try await office.installation.node { $0.state == "connected" }
            let begun = Timestamp.now()
            try office.disk.fill()
            #expect(await eventually(within: .seconds(60)) { office.controller.log.contains("could not be stored") })
            #expect(await office.front.isReady())
            let pid = try #require(office.controller.pid)
            #expect(Census.anonymousMemory(of: pid) < 300 << 20)
            office.disk.free()
            try await office.installation.settle()
            try await office.expectSamples(from: begun, to: .now())
            await office.close()
        }
    }
}

/// An installation whose controller's data lie on a small disk.
struct Office: Sendable {
    let installation: Installation
    let disk: SmallDisk
    let controller: Daemon
    var front: APIClient { installation.front }

    init() async throws {
        installation = try await Installation("office")
        let folder = installation.folder
        disk = try await SmallDisk(at: folder.file("controller"), bytes: 16 << 20)
        controller = Daemon(
            disk.launcher + [
                try Programs.path("innkeeper-controller"), "serve", "--data", folder.file("controller"), "--config",
                folder.file("controller.json"), "--api", installation.addresses.api, "--agents",
                installation.addresses.agents,
            ], logs: folder.file("controller-log"))
        try await open()
        let spec: JSONObject = [
            "image": "hostile/busybox:1", "command": ["/bin/sleep", "1"], "network": "none", "mount_path": "/data",
            "memory_bytes": .integer(32 << 20), "cpu_millis": 100, "disk_bytes": .integer(32 << 20),
        ]
        let file = try folder.write(JSONValue.object(spec).encoded, to: "plan.json")
        try await installation.order("plan", "apply", "small", "--file", file)
    }

    func open() async throws {
        try controller.start()
        guard await eventually(within: .seconds(60), { await front.isReady() }) else {
            throw SetupFailure("the controller does not come up: \(controller.log)")
        }
    }

    func close() async {
        await installation.stop()
        await controller.stop()
    }

    /// The service's id, nil when the order was refused for want of room.
    func order(_ name: String) async throws -> String? {
        let response = try await front.send(
            "POST", "/api/v1/services", #"{"external_id": "\#(name)", "customer": "c1", "plan": "small"}"#)
        guard response.status < 300 else {
            guard response.status == 507 else {
                throw SetupFailure("\(response.status): \(String(decoding: response.body, as: UTF8.self))")
            }
            return nil
        }
        return try BodyDecoder.model(AcceptedOperation.self, from: JSONParser.parse(response.body)).service?.id
    }

    /// Orders services until one is refused. Returns those that were accepted.
    func orderUntilRefused() async throws -> Set<String> {
        var accepted: Set<String> = []
        for number in 0..<2000 {
            guard let service = try await order("order-\(number)") else { return accepted }
            accepted.insert(service)
        }
        throw SetupFailure("the disk does not fill")
    }

    func refusal() async throws -> Problem {
        try await front.refusal(
            "POST", "/api/v1/services", #"{"external_id": "one-more", "customer": "c1", "plan": "small"}"#)
    }

    func services() async throws -> Set<String> {
        var (found, cursor): (Set<String>, String?) = ([], nil)
        repeat {
            let page: Listing<Service> = try await front.get(
                "/api/v1/services?limit=200" + (cursor.map { "&cursor=\($0)" } ?? ""))
            found.formUnion(page.items.map(\.id))
            cursor = page.next
        } while cursor != nil
        return found
    }

    /// The agent has sampled all the time, and in the end nothing of it is missing.
    func expectSamples(from begun: Timestamp, to ended: Timestamp) async throws {
        let path =
            "/api/v1/nodes/\(try installation.node("agent"))/metrics?name=host.memory.used&step=1000"
            + "&from=\(begun.milliseconds)&to=\(ended.milliseconds)"
        let seconds = Int((ended.milliseconds - begun.milliseconds) / 1000)
        _ = try await front.until(path, as: MetricRange.self) { range in
            range.series.first.map { $0.points.count >= seconds - 1 } ?? false
        }
    }
}
