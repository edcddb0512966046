import DriverKit
import Logging
import WireProtocol

extension Reporter {
    /// Looks at what a driver has and tells what changed; a look that is asked for during another follows it.
    func look(at index: Int) {
        guard outlet.isOpen else { return }
        guard looking.insert(index).inserted else {
            lookAgain.insert(index)
            return
        }
        let driver = drivers[index]
        Task.detached { [weak self] in
            let result: Result<[InventoryItem], DriverError>
            do throws(DriverError) { result = .success(try await driver.inventory()) } catch {
                result = .failure(error)
            }
            await self?.looked(at: index, result)
        }
    }

    private func looked(at index: Int, _ result: Result<[InventoryItem], DriverError>) {
        looking.remove(index)
        switch result {
        case .success(let items):
            guard outlet.isOpen else { break }
            for message in trackers[index].update(items) { outlet.send(.inventory(message)) }
        case .failure(let error):
            logger.warning(
                "no inventory", metadata: ["driver": "\(type(of: drivers[index]).name)", "error": "\(error)"])
        }
        if lookAgain.remove(index) != nil { look(at: index) }
    }
}
