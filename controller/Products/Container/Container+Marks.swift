import ControllerCore
import ProductKit
import Store
import WireProtocol

extension Container {
    static let things = [dataset, guest]

    private static let dataset = MarkedThing(
        noun: ContainerOrder.Noun.dataset.rawValue, driver: "zfs", allocation: "dataset", resource: { "zfs/\($0)" },
        question: { look, name in
            look.question("zfs", "dataset.list", "zfs/\(name)", ["dataset": .string(name)])
        },
        answer: { result in
            guard result.status == .succeeded else { return nil }
            return result.observed["datasets"]?.asArray?.compactMap(\.asObject).first
        },
        mark: { state in
            state["owner"]?.asString.map { ThingMark(service: $0, nonce: state["mark"]?["nonce"]?.asString) }
        },
        isOrdered: { look, state in
            guard let spec = try? ContainerSpec(json: look.service.spec) else { return false }
            return state["quota_bytes"]?.asInteger == spec.diskBytes
                && state["mountpoint"]?.asString == look.service.address["mountpoint"]?.asString
        },
        adoption: { ("dataset.mark", ["dataset": .string($0)]) })

    /// Labels of a container cannot be changed: it is given none.
    private static let guest = MarkedThing(
        noun: ContainerOrder.Noun.container.rawValue, driver: "docker", allocation: "container",
        resource: { "docker/\($0)" },
        question: { look, name in
            look.question("docker", "container.inspect", "docker/\(name)", ["name": .string(name)])
        },
        mark: { state in
            state["service"]?.asString.map { ThingMark(service: $0, nonce: state["nonce"]?.asString) }
        },
        isOrdered: { look, state in
            guard let spec = try? ContainerSpec(json: look.service.spec) else { return false }
            return state["image"]?.asString == spec.image
        })
}
