import DockerDriver
package import DriverKit
package import WireProtocol

extension SwagDriver {
    package func facts() async -> JSONObject {
        guard let place = try? await installation() else { return [:] }
        var facts: JSONObject = ["folder": .string(place.folder), "running": .bool(place.isRunning)]
        facts["container"] = place.container.map { .string($0.name) }
        return facts
    }

    /// A proxy configuration of Innkeeper or of somebody else; one that cannot be read is absent.
    package func inventory() async throws(DriverError) -> [InventoryItem] {
        let folder = try ConfigurationFolder(try await installation().folder)
        var items: [InventoryItem] = []
        for file in try folder.names().compactMap(ProxyFile.init) where file.isActive {
            guard let bytes = (try? folder.read(file.name)) ?? nil else { continue }
            items.append(InventoryItem(resource: "swag/\(file.name)", state: Self.summary(file, bytes)))
        }
        return items
    }

    /// Changes that an earlier life of the agent has not ended are undone.
    package func recover(_ abandoned: [AbandonedCommand]) async {
        guard let place = try? await installation(), let folder = try? ConfigurationFolder(place.folder) else { return }
        _ = try? folder.settle()
    }
}
