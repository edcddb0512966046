import DockerDriver
package import DriverKit

extension SwagDriver {
    package func needs() async -> [Need] {
        do throws(DriverError) {
            let found = try await installation()
            return [
                Need(
                    "/config", for: "every change: nothing is written that nginx cannot check",
                    problem: found.isRunning ? nil : "the container does not run",
                    advice: "docker start \(found.container?.name ?? "swag")"),
                Need.folder(found.folder, for: "proxy configurations"),
            ]
        } catch {
            let advice = "start the container, or name it as \"swag_container\" in the configuration"
            return [Need("/config", for: "everything", vital: true, problem: error.message, advice: advice)]
        }
    }
}
