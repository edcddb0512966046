import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import WireProtocol

extension APIResources {
    /// Endpoints of others that are told what happens to services.
    var webhooks: [Endpoint] { webhookViews + webhookChanges + [webhookRemoval] }

    private var webhookViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/webhooks", .read,
                .init(
                    summary: "Webhooks, oldest first, without their secrets", tag: "webhooks", isForCustomers: true,
                    query: ["limit", "cursor"], answer: Listing<WebhookView>.self)
            ) { call in try await call.page("webhooks") { try await queries(call).webhooks($0) } },
            Endpoint(
                .get, "/api/v1/webhooks/{webhook}", .read,
                .init(summary: "One webhook", tag: "webhooks", isForCustomers: true, answer: WebhookView.self)
            ) { call in try await .model(queries(call).webhook(call.path("webhook"))) },
            Endpoint(
                .get, "/api/v1/webhooks/{webhook}/deliveries", .read,
                .init(
                    summary: "Its messages, newest first", tag: "webhooks", isForCustomers: true,
                    query: ["limit", "cursor", .word("state", among: Queries.deliveryStates)],
                    answer: Listing<DeliveryView>.self)
            ) { call in
                let (id, state) = (
                    try call.path("webhook"), try call.query.word("state", among: Queries.deliveryStates)
                )
                return try await call.page("deliveries") {
                    try await queries(call).deliveries(of: id, state: state, $0)
                }
            },
        ]
    }

    private var webhookChanges: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/webhooks", .services,
                .init(
                    summary: "Have an endpoint told what happens; its secret is in this answer only", tag: "webhooks",
                    isForCustomers: true, body: WebhookRequest.self, answer: WebhookView.self, status: 201)
            ) { call in
                let wanted = try call.model(WebhookRequest.self)
                if wanted.allowPrivate == true { try call.caller.require(.admin) }
                let made = try await operations.addWebhook(
                    WebhookOrder(
                        name: wanted.name, url: wanted.url, customer: wanted.customer, events: wanted.events ?? [],
                        authority: wanted.authority, allowsPrivate: wanted.allowPrivate ?? false),
                    by: call.requester)
                return try .model(made, status: 201, location: "/api/v1/webhooks/\(made.id)")
            },
            Endpoint(
                .put, "/api/v1/webhooks/{webhook}", .services,
                .init(
                    summary: "Change a webhook, or switch it off and on; what is not given stays", tag: "webhooks",
                    isForCustomers: true, body: WebhookChange.self, answer: WebhookView.self)
            ) { call in
                let change = try call.model(WebhookChange.self)
                // Somewhere else in a private network is as good as a new one there.
                let isElsewhere = change.url != nil
                let present = isElsewhere ? try await queries(call).webhook(call.path("webhook")) : nil
                if change.allowPrivate == true || present?.allowPrivate == true { try call.caller.require(.admin) }
                return try await .model(
                    operations.updateWebhook(call.path("webhook"), change, by: call.requester))
            },
            Endpoint(
                .post, "/api/v1/webhooks/{webhook}/rotate", .services,
                .init(
                    summary: "Give it a new secret; for a day the one before signs too", tag: "webhooks",
                    isForCustomers: true, answer: WebhookView.self)
            ) { call in
                try await .model(operations.rotateWebhook(call.path("webhook"), by: call.requester))
            },
            Endpoint(
                .post, "/api/v1/webhooks/{webhook}/test", .services,
                .init(
                    summary: "Send it a message; its deliveries tell what came of it", tag: "webhooks",
                    isForCustomers: true, answer: DeliveryView.self, status: 202)
            ) { call in
                try await .model(
                    operations.testWebhook(call.path("webhook"), by: call.requester), status: 202)
            },
            Endpoint(
                .post, "/api/v1/webhooks/{webhook}/replay", .services,
                .init(
                    summary: "Send again what was given up, one message or all", tag: "webhooks", isForCustomers: true,
                    body: ReplayRequest.self, isBodyOptional: true, answer: ReplayView.self)
            ) { call in
                let wanted = try call.optionalModel(ReplayRequest.self)
                return try await .model(
                    ReplayView(
                        replayed: operations.replayWebhook(
                            call.path("webhook"), delivery: wanted?.delivery, by: call.requester)))
            },
        ]
    }

    private var webhookRemoval: Endpoint {
        Endpoint(
            .delete, "/api/v1/webhooks/{webhook}", .services,
            .init(
                summary: "Remove a webhook, with all that waits for it", tag: "webhooks", isForCustomers: true,
                status: 204)
        ) { call in
            try await operations.removeWebhook(call.path("webhook"), by: call.requester)
            return .nothing
        }
    }
}
