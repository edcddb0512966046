import DriverKit
import Logging
import Model
import SQL
import WireProtocol

extension Reporter {
    /// Takes the driver's events in their order until the task is cancelled; what has come by then is kept.
    func listen(to driver: any Driver) async {
        let name = type(of: driver).name
        let queue = EventQueue()
        let source = Task.detached {
            await driver.events { queue.put($0) }
            queue.finish()
        }
        await withTaskCancellationHandler {
            await queue.drain { await keep($0, of: name) }
        } onCancel: {
            source.cancel()
            queue.finish()
        }
    }

    /// Something that the agent itself has seen of a driver.
    func report(_ event: DriverEvent, of driver: String) async {
        var events = [event]
        await keep(&events, of: driver)
    }

    /// Events that one transaction takes.
    private static let batchLimit = 128

    private func keep(_ entries: [EventQueue.Entry], of driver: String) async {
        var events: [DriverEvent] = []
        for entry in entries {
            switch entry {
            case .event(let event):
                events.append(event)
                if events.count == Self.batchLimit { await keep(&events, of: driver) }
            case .lost(let count, let times):
                await keep(&events, of: driver)
                await lose(count, times, of: driver)
            }
        }
        await keep(&events, of: driver)
        changed(driver)
    }

    private func keep(_ events: inout [DriverEvent], of driver: String) async {
        guard !events.isEmpty else { return }
        let batch = events
        events = []
        do throws(SQLError) {
            let reports = try await spool.append(.events, times: batch.map(\.time)) { seq, index in
                Self.line(of: batch[index], seq, driver)
            }
            for report in reports where cursors[.events]?.appended(report.seq) == true {
                outlet.send(line: report.body)
            }
        } catch { complain(error) }
    }

    private func lose(_ count: Int64, _ times: ClosedRange<Timestamp>, of driver: String) async {
        let reason = "events of \(driver) came faster than the disk took them"
        logger.warning("\(reason)", metadata: ["lost": "\(count)"])
        do throws(SQLError) {
            try await spool.lose(.events, count: count, times: times, reason: reason)
            pump()
        } catch { complain(error) }
    }

    private static func line(of event: DriverEvent, _ seq: Int64, _ driver: String) -> [UInt8] {
        var message = NodeEvent(
            seq: seq, time: event.time.milliseconds, driver: driver, resource: event.resource, kind: event.kind,
            data: event.data)
        let line = AgentMessage.event(message).bytes
        // A line that the controller refuses would end this session, and each one after it.
        if (try? AgentMessage(decoding: line)) != nil { return line }
        message.data = ["omitted": "too long, too deep or too many values"]
        return AgentMessage.event(message).bytes
    }
}
