package import DriverKit

extension DockerDriver {
    package func needs() async -> [Need] {
        [
            Need(
                engine.socket, for: "everything", vital: true, problem: await engineProblem,
                advice: "systemctl status docker; Docker 20.10 or newer is needed"),
            Need(
                "docker-compose", for: "compose.validate, compose.deploy and compose.down", problem: await toolProblem,
                advice: "install the compose plugin of Docker, or apt install docker-compose"),
            Need.folder(compose.settings.root, for: "compose projects", vital: false),
        ] + rights.mountRoots.map { Need.readable($0, for: "mounts below it", advice: "mkdir it, or mount it") }
    }

    private var engineProblem: String? {
        get async {
            do throws(EngineError) {
                try await engine.negotiate()
                return nil
            } catch { return "the engine does not answer as it should: \(error.driverError.message)" }
        }
    }

    private var toolProblem: String? {
        get async {
            do throws(DriverError) {
                _ = try await compose.toolbox.tool()
                return nil
            } catch { return error.message }
        }
    }
}
