import AgentCore
import DaemonKit
import DriverKit
import Model
import Testing
import TestSupport
import Transport
import WireProtocol

@Suite(.timeLimit(.minutes(2))) struct `Reports over the link` {
    private func driver() -> ScriptedDriver {
        let driver = ScriptedDriver()
        driver.setSamples([("a.x", 1), ("a.y", nil), ("a.z", 2.5)])
        driver.setUsage([DriverKit.UsageCounter(subject: "thing/a", meter: "cpu_ms", epoch: "e1", value: 7)])
        driver.setInventory([InventoryItem(resource: "thing/a", state: ["state": "running"])])
        return driver
    }

    @Test func `metrics come with their names first, usage and events in order, inventory in full`() async throws {
        let controller = try await ScriptedController()
        let driver = driver()
        let rig = try await AgentRig(controller, driver: driver)
        let metrics = try await controller.wait("metrics", { $0.metrics.first })
        #expect(metrics.values == [1, nil, 2.5])
        let series = controller.lines.lazy.compactMap { if case .series(let series) = $0 { series } else { nil } }.first
        #expect(series?.names == ["a.x", "a.y", "a.z"])
        #expect(series?.set == metrics.set)
        let usage = try await controller.wait("usage", { $0.usages.first })
        #expect(usage.counters.map(\.value) == [7])
        let inventory = try await controller.wait("inventory", { $0.inventories.first })
        #expect(inventory.full && inventory.items.map(\.resource) == ["thing/a"])
        let time = Timestamp(milliseconds: 12345)
        _ = try await eventually("a listener") {
            driver.emit(DriverEvent(time: time, resource: "thing/a", kind: "thing.died")) ? true : nil
        }
        let event = try await controller.wait("the event", { $0.events.first })
        #expect(event.time == 12345 && event.kind == "thing.died")
        await rig.stop()
    }

    @Test func `what happened while cut off follows with its source time, behind live data, without holes`()
        async throws
    {
        let controller = try await ScriptedController()
        let driver = driver()
        controller.greet(false)
        let rig = try await AgentRig(controller, driver: driver)
        // Settings of a session make the samples come quickly; then the session is cut and none is opened.
        controller.greet(true)
        _ = try await controller.wait("a live sample", { $0.metrics.first })
        controller.greet(false)
        let before = controller.lines.metrics.map(\.seq).max() ?? 0
        controller.cut()
        try await controller.waitForSession(2)
        _ = try await eventually("a backlog", { driver.emit(DriverEvent(time: .now(), kind: "cut.off")) ? true : nil })
        try await Task.sleep(for: .milliseconds(500))
        controller.greet(true)
        controller.cut()
        let replayed = try await controller.wait("replayed samples") { lines in
            let replayed = lines.metrics.filter { $0.replayed && $0.seq > before }
            return replayed.count >= 3 ? replayed : nil
        }
        #expect(replayed.map(\.seq) == replayed.map(\.seq).sorted())
        #expect(replayed.map(\.time) == replayed.map(\.time).sorted())
        _ = try await controller.wait("the event", { $0.events.first { $0.kind == "cut.off" } })
        let whole = try await controller.wait("no holes") { lines in
            let seqs = Set(lines.metrics.map(\.seq))
            return seqs.count > 5 && seqs.count == Int(seqs.max() ?? 0) ? seqs : nil
        }
        #expect(whole.min() == 1)
        await rig.stop()
    }

    @Test func `what the controller has stored is forgotten, the rest is announced`() async throws {
        let controller = try await ScriptedController()
        let rig = try await AgentRig(controller, driver: driver())
        let last = try await controller.wait("samples", { $0.metrics.count >= 3 ? $0.metrics[2].seq : nil })
        controller.set(stored: Positions(metrics: last))
        controller.send(.ack(Acknowledgement(metrics: last)))
        controller.cut()
        let hello = try await controller.wait("a second hello", { $0.hellos.dropFirst().first })
        #expect((hello.spool.metrics?.first ?? .max) >= last)
        #expect(hello.spool.epoch == controller.lines.hellos.first?.spool.epoch)
        await rig.stop()
    }

    @Test func `an overflow while cut off is told as a gap`() async throws {
        let controller = try await ScriptedController()
        let driver = driver()
        driver.setSamples((0..<200).map { ("series.\($0)", Double($0) + 0.123) })
        var settings = AgentSettings()
        settings.spoolBytes = 8192
        let rig = try await AgentRig(controller, driver: driver, settings: settings)
        // The controller stores nothing, so the spool runs over.
        _ = try await controller.wait("samples", { $0.metrics.count >= 10 ? true : nil })
        controller.cut()
        let gap = try await controller.wait("a gap", { $0.gaps.first })
        #expect(gap.kind == .metrics)
        #expect(gap.fromSeq == 1)
        #expect(gap.toSeq >= gap.fromSeq)
        await rig.stop()
    }

    @Test func `a certificate past two thirds of its life is renewed, with a new key and for the next connection`()
        async throws
    {
        let controller = try await ScriptedController()
        let authority = controller.authority
        controller.answerRenewal { renewal in
            let csr = try CertificateSigningRequest(pem: renewal.csr)
            let certificate = try authority.issueNode(
                csr: csr, nodeID: AgentRig.node, validity: .seconds(86_400), now: Timestamp.now().milliseconds)
            return CertificateGrant(certificate: certificate.pem, authority: authority.certificate.pem)
        }
        let rig = try await AgentRig(controller, validity: .seconds(3000), age: .seconds(2500))
        let path = rig.folder.file(NodeIdentity.fileName)
        let old = try rig.folder.read(NodeIdentity.fileName)
        _ = try await eventually("a new identity on disk") { try AtomicFile.read(path) != old ? true : nil }
        let first = try #require(controller.peers.first)
        controller.cut()
        let second = try await eventually("a connection with the new certificate") {
            let last = controller.peers.last
            if last == first { controller.cut() }
            return last == first ? nil : last
        }
        await rig.stop()
        let text = String(decoding: try rig.folder.read(NodeIdentity.fileName), as: UTF8.self)
        let fields = try #require(try JSONParser.parse(Array(text.utf8)).asObject)
        let stored = try Certificate(pem: fields.string("certificate"))
        #expect(stored.serial == second)
        #expect(try PrivateKey(pem: fields.string("key")).matches(stored))
    }

    @Test func `a grant that is not for the key that was asked for changes nothing`() async throws {
        let controller = try await ScriptedController()
        let authority = controller.authority
        controller.answerRenewal { _ in
            let other = try CertificateSigningRequest(
                pem: CertificateSigningRequest.make(key: PrivateKey.generate(), commonName: "x"))
            let certificate = try authority.issueNode(
                csr: other, nodeID: AgentRig.node, validity: .seconds(86_400), now: Timestamp.now().milliseconds)
            return CertificateGrant(certificate: certificate.pem, authority: authority.certificate.pem)
        }
        let rig = try await AgentRig(controller, validity: .seconds(3000), age: .seconds(2500))
        let before = try rig.folder.read(NodeIdentity.fileName)
        _ = try await controller.wait("a renewal") {
            $0.contains { if case .renew = $0 { true } else { false } } ? true : nil
        }
        controller.cut()
        try await controller.waitForSession(2)
        #expect(Set(controller.peers).count == 1)
        #expect(try rig.folder.read(NodeIdentity.fileName) == before)
        await rig.stop()
    }

    @Test func `events that come faster than the disk takes them are counted in a gap`() async throws {
        let controller = try await ScriptedController()
        controller.acknowledgeReports()
        let driver = driver()
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        _ = try await eventually("a listener") {
            driver.emit(DriverEvent(time: Timestamp(milliseconds: 1), kind: "burst")) ? true : nil
        }
        for number in 2...20_000 {
            _ = driver.emit(DriverEvent(time: Timestamp(milliseconds: Int64(number)), kind: "burst"))
        }
        let gap = try await controller.wait("a gap of events", { $0.gaps.first { $0.kind == .events } })
        #expect(gap.reason == "events of scripted came faster than the disk took them")
        #expect(gap.from > 1 && gap.to <= 20_000)
        _ = driver.emit(DriverEvent(time: Timestamp(milliseconds: 30_000), kind: "after"))
        _ = try await controller.wait("the event after it", { $0.events.first { $0.kind == "after" } })
        let all = try await controller.wait("every number") { lines -> Set<Int64>? in
            let told = lines.gaps.filter { $0.kind == .events }.flatMap { Array($0.fromSeq...$0.toSeq) }
            let seqs = Set(lines.events.map(\.seq) + told)
            return seqs.count == 20_001 ? seqs : nil
        }
        #expect(all == Set(1...20_001))
        await rig.stop()
    }

    @Test func `an event that no line takes is told without its data`() async throws {
        let controller = try await ScriptedController()
        let driver = driver()
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        let data: JSONObject = ["text": .string(String(repeating: "x", count: 2 << 20))]
        _ = try await eventually("a listener") {
            driver.emit(DriverEvent(time: .now(), kind: "huge", data: data)) ? true : nil
        }
        let event = try await controller.wait("the event", { $0.events.first })
        #expect(event.kind == "huge" && event.data["omitted"] != nil)
        await rig.stop()
    }
}
