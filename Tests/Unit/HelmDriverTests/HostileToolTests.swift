import DriverKit
import Glibc
import HelmDriver
import Logging
import TestSupport
import Testing
import WireProtocol

/// Tools that do anything but answer, and what the driver calls that.
@Suite struct HostileToolTests {
    /// A driver with a shell script in the place of both tools; `$RECORD` is a file to write to.
    func driver(_ script: String, _ folder: ScratchFolder, patience: Duration = .seconds(1)) -> HelmDriver {
        let prefix = ["/bin/sh", "-c", "export RECORD=\(folder.file("record")); \(script)"]
        return HelmDriver(
            tools: HelmTools(
                helm: prefix + ["helm"], kubectl: prefix + ["kubectl"], kubeconfig: "/no/config", home: folder.path,
                patience: patience, grace: .milliseconds(300)), version: "3.21.4", pause: .milliseconds(50))
    }

    let context = ActionContext(commandID: "test", logger: Logger(label: "test"))

    func call(_ operation: String, _ arguments: JSONObject = [:]) -> ActionCall {
        let names: JSONObject = ["namespace": "ns", "release": "shop"]
        return ActionCall(
            action: operation, resource: "helm/ns/shop",
            arguments: JSONObject((names.members + arguments.members).map { ($0.key, $0.value) }))
    }

    static let deeds =
        HostileDeed.common + [
            HostileDeed("head -c 40000000 /dev/zero", .failed, "more than 16 MiB"),
            HostileDeed("head -c 40000000 /dev/zero >&2; exit 1", .failed, "refused"),
            HostileDeed("echo release: not found >&2; kill -KILL $$", .unknownOutcome, "killed by signal 9"),
            HostileDeed(#"printf '\377\376{'"#, .failed, "no JSON"),
            HostileDeed("echo '{}'", .failed, "cannot be understood"),
            HostileDeed("echo '[{}]'", .failed, "cannot be understood"),
            HostileDeed("i=0; while [ $i -lt 300 ]; do printf '['; i=$((i+1)); done", .failed, "no JSON"),
            HostileDeed(
                "sleep 600 & echo 'Error: Kubernetes cluster unreachable: x' >&2; exit 1", .unavailable,
                "does not answer"),
        ]

    @Test(arguments: deeds)
    func `a tool that only looks is named for what it did`(deed: HostileDeed) async throws {
        let folder = try ScratchFolder("tool")
        let driver = driver(deed.script, folder, patience: deed.code == .timedOut ? .seconds(3) : .seconds(30))
        let error = await refusal { try await driver.perform(call("release.status"), context) }
        #expect(deed.isNamed(by: error), "\(String(describing: error))")
        #expect((error?.cause?.utf8.count ?? 0) <= 4000, "bounded, however much it wrote")
    }

    /// Looks are answered, the change itself is what the script does.
    static func changing(_ deed: String, pending: Bool) -> String {
        let row = #"{"revision":2,"status":"pending-upgrade","chart":"store-1.0.0","description":"Preparing upgrade"}"#
        let good = #"{"revision":1,"status":"deployed","chart":"store-1.0.0","description":"Install complete"}"#
        return """
            case "$*" in
            show*) printf 'name: store\\nversion: 1.1.0\\n' ;;
            history*) if [ -e "$RECORD" ] && \(pending); then echo '[\(good),\(row)]'; else echo '[\(good)]'; fi ;;
            get*) echo null ;;
            upgrade*) cat >/dev/null; echo begun >>"$RECORD"; \(deed) ;;
            esac
            """
    }

    @Test(arguments: [
        ("exec sleep 600", true, DriverErrorCode.unknownOutcome, "helm was stopped while it worked"),
        (
            "trap '' TERM; while :; do sleep 0.05; done", true, .unknownOutcome,
            "helm did not obey and was killed while it worked"
        ),
        ("setsid sh -c 'trap \"\" TERM; sleep 600' & wait", true, .unknownOutcome, "helm was stopped while it worked"),
        ("exec sleep 600", false, .cancelled, "helm was stopped before it had changed the release"),
    ])
    func `a change that is stopped says how far it came`(
        deed: String, pending: Bool, code: DriverErrorCode, message: String
    ) async throws {
        let folder = try ScratchFolder("tool")
        let driver = driver(Self.changing(deed, pending: pending), folder, patience: .seconds(30))
        let task = Task { [context, call = call("release.upgrade", ["chart": .string(folder.path), "always": true])] in
            try await driver.perform(call, context)
        }
        #expect(await eventually { access(folder.file("record"), F_OK) == 0 })
        task.cancel()
        let error = await refusal { try await task.value }
        #expect(error?.code == code && error?.retryable == true, "\(String(describing: error))")
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }

    @Test func `a Helm that reports success and has done nothing is a failure`() async throws {
        let folder = try ScratchFolder("tool")
        let driver = driver(Self.changing("exit 0", pending: false), folder, patience: .seconds(30))
        let error = await refusal {
            try await driver.perform(call("release.upgrade", ["chart": .string(folder.path)]), context)
        }
        #expect(
            error?.code == .failed && error?.message == "helm reported success, but release shop has no new revision")
    }

    @Test func `a Helm that floods its outputs while it works is read to its end`() async throws {
        let folder = try ScratchFolder("tool")
        let script = Self.changing("head -c 50000000 /dev/zero; head -c 50000000 /dev/zero >&2; exit 1", pending: false)
        let driver = driver(script, folder, patience: .seconds(30))
        let error = await refusal {
            try await driver.perform(call("release.upgrade", ["chart": .string(folder.path)]), context)
        }
        #expect(error?.code == .failed && (error?.cause?.utf8.count ?? 0) <= 4000)
    }

    @Test func `a tool that is gone is unavailable, one that may not be run is not permitted`() async throws {
        let tools = HelmTools(helm: ["/no/helm"], kubectl: ["/no/kubectl"])
        let gone = await refusal {
            try await HelmDriver(tools: tools, version: "3.0.0").perform(call("release.status"), context)
        }
        #expect(gone?.code == .unavailable && gone?.retryable == true)
        let folder = try ScratchFolder("tool")
        let file = try folder.write(Array("#!/bin/sh\n".utf8), to: "helm")
        let closed = HelmTools(helm: [file], kubectl: [file])
        let error = await refusal {
            try await HelmDriver(tools: closed, version: "3.0.0").perform(call("release.status"), context)
        }
        #expect(error?.code == .permissionDenied)
    }
}
