import API
import ControllerCore
import DaemonKit
import HTTP
import Logging
import Placement
import TestSupport
import Testing
import WireProtocol
import WordPressCompatibility

@testable import innkeeper_controller

@Suite struct ServeConfigurationTests {
    private func parse(_ text: String) throws(ConfigurationError) -> ServeConfiguration {
        try ConfigurationFile.parse(
            Array(text.utf8), named: "controller.json", keys: ServeConfiguration.keys, ServeConfiguration.make)
    }

    @Test func `an empty file changes nothing`() throws {
        let made = try parse("{}")
        #expect(made.api == Address(host: "127.0.0.1", port: 8443))
        #expect(made.agents == Address(host: "127.0.0.1", port: 7443))
        #expect(made.placement == .standard && made.operations == .standard)
        #expect(made.retention == Retention() && made.clockTolerance == .seconds(300))
        #expect(made.logLevel == .info && made.eventLoops == 1 && made.names.isEmpty)
    }

    @Test func `the file that the package brings is valid, and reaches nobody but this machine`() throws {
        let root = Checkout.root
        let made = try ServeConfiguration.read("\(root)/packaging/deb/controller/controller.json")
        #expect(made.api.host == "127.0.0.1" && made.agents.host == "127.0.0.1")
        let example = try ServeConfiguration.read("\(root)/packaging/deb/controller/public.json")
        #expect(example.apiPair != nil && example.apiListeners.map(\.isPlain) == [true])
    }

    @Test func `each key has its effect`() throws {
        let made = try parse(
            """
            {"api": "0.0.0.0:1", "agents": "[::1]:2", "names": ["hotel.example"], "heartbeat_ms": 2000,
             "sample_ms": 1000, "inventory_ms": 60000, "log_level": "debug", "event_loops": 4,
             "placement": {"cpu_overcommit": 8, "memory_overcommit": 1.5, "disk_overcommit": 2, "storage_floor": 0.25},
             "operations": {"per_node": 3, "per_kind": 20, "unplaced": 4},
             "api_limits": {"connections": 300, "connections_per_key": 5, "streams_per_key": 6, "requests_per_second": 7,
                            "burst": 8},
             "api_listeners": [{"listen": "127.0.0.1:8080", "plain": true}, {"listen": "[2001:db8::1]:443"}],
             "compatibility": {"wordpress": {"listen": "127.0.0.1:8081", "plain": true, "open": true, "wait_s": 90}},
             "api_tls": {"certificate": "/etc/x.pem", "key": "/etc/x.key"}}
            """)
        #expect(
            made.compatibility.wordpress
                == CompatibilitySettings.Own(
                    address: Address(host: "127.0.0.1", port: 8081), isPlain: true, isOpen: true))
        #expect(made.compatibility.wordpressSettings.patience == .seconds(90))
        #expect(made.furtherAddresses.map(\.port) == [8080, 443, 8081])
        #expect(
            made.apiListeners == [
                APISettings.Further(host: "127.0.0.1", port: 8080, isPlain: true),
                APISettings.Further(host: "2001:db8::1", port: 443, isPlain: false),
            ])
        #expect(made.apiPair?.certificate == "/etc/x.pem" && made.apiPair?.key == "/etc/x.key")
        #expect(made.api == Address(host: "0.0.0.0", port: 1) && made.agents == Address(host: "::1", port: 2))
        #expect(made.names == ["hotel.example"] && made.logLevel == .debug && made.eventLoops == 4)
        #expect(made.settings.heartbeatMs == 2000)
        #expect(made.settings.sampleMs == 1000 && made.settings.inventoryMs == 60_000)
        #expect(
            made.placement
                == PlacementRules(cpuOvercommit: 8, memoryOvercommit: 1.5, diskOvercommit: 2, storageFloor: 0.25))
        #expect(made.operations == ExecutorLimits(perNode: 3, perKind: 20, unplaced: 4))
        var settings = APISettings(authorityPin: "")
        made.apiLimits.apply(to: &settings)
        #expect(settings.http.maximumConnections == 300 && settings.http.callers.connectionsPerCaller == 5)
        #expect(settings.http.callers.streamsPerCaller == 6 && settings.http.keyRate == Rate(perSecond: 7, burst: 8))
    }

    @Test func `how long records are kept is said in days, each by itself`() throws {
        let made = try parse(#"{"retention": {"samples_days": 3, "operations_days": 30}, "clock_tolerance_ms": 2000}"#)
        var retention = Retention()
        (retention.samples, retention.operations) = (.seconds(3 * 86_400), .seconds(30 * 86_400))
        #expect(made.retention == retention && made.clockTolerance == .seconds(2))
    }

    @Test func `what an object does not name stays as it was`() throws {
        let made = try parse(#"{"placement": {"storage_floor": 0}, "operations": {"per_node": 2}}"#)
        #expect(made.placement.storageFloor == 0 && made.placement.cpuOvercommit == 4)
        #expect(made.operations == ExecutorLimits(perNode: 2, perKind: 200, unplaced: 32))
    }

    @Test(arguments: [
        (#"{"apis": "x:1"}"#, "apis"), (#"{"api": 1}"#, "api"), (#"{"api": "nowhere"}"#, "api"),
        (#"{"agents": "x:70000"}"#, "agents"), (#"{"names": "x"}"#, "names"), (#"{"names": [1]}"#, "names[0]"),
        (#"{"heartbeat_ms": 1}"#, "heartbeat_ms"), (#"{"sample_ms": "often"}"#, "sample_ms"),
        (#"{"log_level": "loud"}"#, "log_level"), (#"{"event_loops": 0}"#, "event_loops"),
        (#"{"retention": {"samples": 1}}"#, "retention.samples"),
        (#"{"retention": {"audit_days": 0}}"#, "retention.audit_days"),
        (#"{"clock_tolerance_ms": 10}"#, "clock_tolerance_ms"),
        (#"{"placement": 1}"#, "placement"), (#"{"placement": {"cpu": 1}}"#, "placement.cpu"),
        (#"{"placement": {"cpu_overcommit": 0}}"#, "placement.cpu_overcommit"),
        (#"{"placement": {"memory_overcommit": "2"}}"#, "placement.memory_overcommit"),
        (#"{"placement": {"disk_overcommit": 101}}"#, "placement.disk_overcommit"),
        (#"{"placement": {"storage_floor": 1}}"#, "placement.storage_floor"),
        (#"{"operations": []}"#, "operations"), (#"{"operations": {"per_node": 0}}"#, "operations.per_node"),
        (#"{"operations": {"per_kind": 1.5}}"#, "operations.per_kind"),
        (#"{"operations": {"each": 1}}"#, "operations.each"),
        (#"{"api_limits": {"connections": 1}}"#, "api_limits.connections"),
        (#"{"api_limits": {"per_key": 1}}"#, "api_limits.per_key"),
        (#"{"api_listeners": [{"listen": "0.0.0.0:80", "plain": true}]}"#, "api_listeners[0].listen"),
        (#"{"api_listeners": [{"listen": "localhost:80", "plain": true}]}"#, "api_listeners[0].listen"),
        (#"{"api_listeners": [{"plain": true}]}"#, "api_listeners[0].listen"),
        (#"{"api_listeners": [{"listen": "127.0.0.1:1", "tls": true}]}"#, "api_listeners[0].tls"),
        (#"{"compatibility": {"shops": {}}}"#, "compatibility.shops"),
        (#"{"compatibility": {"stores": {"plans": {"medusa": 1}}}}"#, "compatibility.stores.plans.medusa"),
        (#"{"compatibility": {"stores": {"customer": "a b"}}}"#, "compatibility.stores.customer"),
        (#"{"compatibility": {"stores": {"open": true}}}"#, "compatibility.stores.listen"),
        (#"{"compatibility": {"hosting": {"port": 1}}}"#, "compatibility.hosting.port"),
        (#"{"compatibility": {"hosting": {"tables": "hub"}}}"#, "compatibility.hosting.tables"),
        (#"{"compatibility": {"hosting": {"sites": {"key": "a;b"}}}}"#, "compatibility.hosting.sites.key"),
        (#"{"compatibility": {"hosting": {"plan": ""}}}"#, "compatibility.hosting.plan"),
        (#"{"compatibility": {"hosting": {"open": true}}}"#, "compatibility.hosting.listen"),
        (#"{"compatibility": {"wordpress": {"port": 1}}}"#, "compatibility.wordpress.port"),
        (#"{"compatibility": {"wordpress": {"wait_s": -1}}}"#, "compatibility.wordpress.wait_s"),
        (#"{"compatibility": {"wordpress": {"open": true}}}"#, "compatibility.wordpress.listen"),
        (
            #"{"compatibility": {"wordpress": {"listen": "192.0.2.1:80", "open": true}}}"#,
            "compatibility.wordpress.listen"
        ),
        (#"{"compatibility": {"wordpress": {"listen": "[::]:80", "plain": true}}}"#, "compatibility.wordpress.listen"),
        (#"{"api_tls": {"certificate": "/a"}}"#, "api_tls.key"),
        (#"{"api_tls": {"certificate": "a", "key": "/b"}}"#, "api_tls.certificate"),
    ])
    func `what makes no sense is an error that names the file and the key`(text: String, key: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try parse(text) }
        #expect(error.message.hasPrefix("controller.json: \(key) "), "\(error.message)")
    }

    @Test func `a file that is not there, or not JSON, is named`() throws {
        let folder = try ScratchFolder("serve")
        let missing = #expect(throws: ConfigurationError.self) { try ServeConfiguration.read(folder.file("none")) }
        #expect(missing?.message.contains("none") == true)
        let path = try folder.write(Array("{".utf8), to: "broken.json")
        let broken = #expect(throws: ConfigurationError.self) { try ServeConfiguration.read(path) }
        #expect(broken?.message.hasPrefix(path) == true)
    }
}
