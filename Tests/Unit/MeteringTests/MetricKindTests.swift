import Testing

@testable import Metering

@Suite struct `What a series measures` {
    @Test(arguments: [
        ("container/svc_1.cpu.seconds", "counter", "cores"), ("cpu.seconds", "counter", "cores"),
        ("proxmox/ct/101.network.sent", "counter", "bytes/s"), ("memory.used", "gauge", "bytes"),
        ("host.network.eth0.sent", "counter", "bytes/s"), ("host.disk.sda.busy", "counter", "share"),
        ("host.filesystem./var/lib.used", "gauge", "bytes"), ("host.cpu.idle", "gauge", "percent"),
        ("host.processes", "gauge", "processes"), ("host.uptime", "gauge", "seconds"),
        ("zfs/tank/innkeeper/s1.used", "gauge", "bytes"), ("dataset.used", "gauge", "bytes"),
        ("zpool/tank.online", "gauge", "truth"), ("nobody.knows", "gauge", ""), ("", "gauge", ""),
        // A data set may be called like a figure.
        ("zfs/tank/x.cpu.seconds.used", "gauge", "bytes"),
    ])
    func `follows from its name`(name: String, form: String, unit: String) {
        let kind = MetricKind.of(name)
        #expect(kind.form.rawValue == form && kind.shownUnit == unit)
    }

    @Test func `is named once`() {
        #expect(Set(MetricKind.all.map(\.pattern)).count == MetricKind.all.count)
        #expect(MetricKind.all.allSatisfy { !$0.unit.isEmpty && !$0.shownUnit.isEmpty && $0.meaning.hasSuffix(".") })
    }
}
