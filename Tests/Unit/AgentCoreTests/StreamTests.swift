import AgentCore
import DriverKit
import Synchronization
import Testing
import TestSupport
import WireProtocol

@Suite(.timeLimit(.minutes(2))) struct `What goes through a command` {
    @Test func `output flows under credit and is offered again to a controller that came back`() async throws {
        let controller = try await ScriptedController()
        let written = Mutex(0)
        let driver = ScriptedDriver { _, context throws(DriverError) in
            for _ in 0..<10 {
                do { try await context.output(.stdout, [UInt8](repeating: 0x61, count: 10)) } catch {
                    throw DriverError(.cancelled, "stopped")
                }
                written.withLock { $0 += 1 }
            }
            return ActionOutcome(changed: false)
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        let command = AgentRig.command("c1", window: 25)
        controller.send(command)
        _ = try await controller.wait("25 bytes", { $0.outputs(of: "c1").bytes == 25 ? true : nil })
        #expect(written.withLock { $0 } == 2, "the third write waits for credit")
        controller.send(.window(Window(id: "c1", credit: 10)))
        _ = try await controller.wait("35 bytes", { $0.outputs(of: "c1").bytes == 35 ? true : nil })
        #expect(controller.lines.results(of: "c1").isEmpty)
        controller.cut()
        let result = try await controller.result(of: "c1")
        #expect(result.status == .succeeded, "with nobody listening the command goes on")
        #expect(controller.lines.outputs(of: "c1").map(\.offset) == [0, 10, 20, 25, 30])
        await rig.stop()
    }

    @Test func `to a controller that came back the tail of the output is told, with a jump in the offsets`()
        async throws
    {
        let controller = try await ScriptedController()
        let gate = Gate()
        let hasSaidAll = Mutex(false)
        let driver = ScriptedDriver { _, context throws(DriverError) in
            do {
                for _ in 0..<50 { try await context.output(.stdout, [UInt8](repeating: 0x61, count: 4096)) }
                try await context.output(.stderr, Array("the end".utf8))
            } catch { throw DriverError(.cancelled, "stopped") }
            hasSaidAll.withLock { $0 = true }
            await gate.wait()
            return ActionOutcome(changed: false)
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        let command = AgentRig.command("c1", window: 4096)
        controller.send(command)
        _ = try await controller.wait("the first piece", { $0.outputs(of: "c1").bytes == 4096 ? true : nil })
        controller.cut()
        try await controller.waitForSession(2)
        #expect(await eventually { hasSaidAll.withLock { $0 } })
        controller.forgetLines()
        controller.send(AgentRig.command("c1", window: 1 << 20))
        _ = try await controller.wait("the tail") { lines in
            lines.outputs(of: "c1").last.map { $0.stream == .stderr ? true : nil } ?? nil
        }
        let tail = controller.lines.outputs(of: "c1")
        #expect(controller.lines.accepted("c1").map(\.duplicate) == [true])
        #expect(tail.bytes == OutputWindow.tailLimit)
        let text = tail.filter { $0.stream == .stdout }
        #expect(text.first?.offset == Int64(50 * 4096 + 7 - OutputWindow.tailLimit))
        #expect(text.map { $0.offset + Int64($0.data.count) }.last == Int64(50 * 4096))
        #expect(String(decoding: tail.last?.data ?? [], as: UTF8.self) == "the end")
        gate.open()
        #expect(try await controller.result(of: "c1").status == .succeeded)
        #expect(driver.calls.count == 1)
        await rig.stop()
    }

    @Test func `what a command said that ended while nobody listened comes before its result`() async throws {
        let controller = try await ScriptedController()
        let gate = Gate()
        let isDone = Mutex(false)
        let driver = ScriptedDriver { _, context throws(DriverError) in
            await gate.wait()
            do { try await context.output(.stdout, Array("last words".utf8)) } catch {
                throw DriverError(.cancelled, "stopped")
            }
            isDone.withLock { $0 = true }
            return ActionOutcome(changed: false)
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        _ = try await controller.wait("it runs", { $0.accepted("c1").isEmpty ? nil : true })
        controller.cut()
        try await controller.waitForSession(2)
        gate.open()
        #expect(await eventually { isDone.withLock { $0 } })
        controller.send(AgentRig.command("c1"))
        #expect(try await controller.result(of: "c1").status == .succeeded)
        let said = controller.lines.outputs(of: "c1").map { String(decoding: $0.data, as: UTF8.self) }
        #expect(said == ["last words"])
        let order = controller.lines.compactMap { line -> String? in
            switch line {
            case .output: "output"
            case .result: "result"
            default: nil
            }
        }
        // The result may have been sent already when the command came again, and is sent again then.
        #expect(order.prefix(2) == ["output", "result"])
        await rig.stop()
    }

    @Test func `input that nobody takes ends the command, not the memory`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, _ throws(DriverError) in
            do { try await Task.sleep(for: .seconds(600)) } catch { throw DriverError(.cancelled, "stopped") }
            return ActionOutcome(changed: false)
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        let piece = [UInt8](repeating: 0x61, count: 64 << 10)
        for _ in 0..<20 { controller.send(.input(Input(id: "c1", data: piece, end: false))) }
        let result = try await controller.result(of: "c1")
        #expect(result.status == .failed)
        #expect(result.error?.message.contains("input") == true)
        await rig.stop()
    }

    @Test func `a result that no line takes is told without its observations, also after a reconnect`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, _ throws(DriverError) in
            ActionOutcome(changed: true, observed: ["text": .string(String(repeating: "x", count: 2 << 20))])
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        controller.send(AgentRig.command("c2", operation: "thing.look"))
        for id in ["c1", "c2"] {
            let result = try await controller.result(of: id)
            #expect(result.status == .succeeded)
            #expect(result.changed)
            #expect(result.observed["omitted"] != nil && result.observed["text"] == nil)
        }
        controller.cut()
        let again = try await controller.result(of: "c1", after: 1)
        #expect(again.replayed)
        await rig.stop()
    }

    @Test func `input that comes again is taken once, what was read is told, and a hole ends the command`() async throws
    {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, context throws(DriverError) in
            var text = ""
            for await piece in context.input { text += String(decoding: piece, as: UTF8.self) }
            if Task.isCancelled { throw DriverError(.cancelled, "stopped") }
            return ActionOutcome(changed: false, observed: ["read": .string(text)])
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        func input(_ id: String, _ text: String, at offset: Int64, end: Bool = false) {
            controller.send(.input(Input(id: id, data: Array(text.utf8), end: end, offset: offset)))
        }
        controller.send(AgentRig.command("c1"))
        input("c1", "hello ", at: 0)
        _ = try await controller.wait("what was read") { lines in
            lines.lazy.compactMap { if case .consumed(let read) = $0, read.bytes == 6 { read } else { nil } }.first
        }
        input("c1", "hello ", at: 0)
        input("c1", "lo there", at: 3, end: true)
        #expect(try await controller.result(of: "c1").observed == ["read": "hello there"])
        controller.send(AgentRig.command("c2"))
        input("c2", "late", at: 7)
        #expect(try await controller.result(of: "c2").status == .failed)
        await rig.stop()
    }

    @Test func `the size of the asker's terminal reaches the command, between its bytes`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, context throws(DriverError) in
            for await size in context.screens {
                return ActionOutcome(
                    changed: false, observed: ["rows": .integer(size.rows), "columns": .integer(size.columns)])
            }
            throw DriverError(.failed, "no size came")
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        controller.send(.input(Input(id: "c1", data: [], end: false, offset: 0, rows: 50, columns: 132)))
        #expect(try await controller.result(of: "c1").observed == ["rows": 50, "columns": 132])
        await rig.stop()
    }

    @Test func `input reaches the command and its end ends it`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver { _, context throws(DriverError) in
            var text = ""
            for await piece in context.input { text += String(decoding: piece, as: UTF8.self) }
            return ActionOutcome(changed: false, observed: ["read": .string(text)])
        }
        let rig = try await AgentRig(controller, driver: driver)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        controller.send(.input(Input(id: "c1", data: Array("hello ".utf8), end: false)))
        controller.send(.input(Input(id: "c1", data: Array("there".utf8), end: true)))
        #expect(try await controller.result(of: "c1").observed == ["read": "hello there"])
        await rig.stop()
    }
}

extension [Output] {
    var bytes: Int { reduce(0) { $0 + $1.data.count } }
}
