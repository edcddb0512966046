<?php

namespace Paymenter\Extensions\Servers\Innkeeper;

use App\Attributes\ExtensionMeta;
use App\Classes\Extension\Server;
use App\Exceptions\DisplayException;
use Exception;

/**
 * Sells services of Innkeeper. Each service of the panel is one service of the controller, known there as
 * paymenter:INSTANCE:ID, whatever is asked twice, at once or in another order.
 *
 * Only exceptions count as failures here, and jobs of the panel are not repeated: what is thrown is for the staff, who
 * repeat it.
 */
#[ExtensionMeta(
    name: 'Innkeeper',
    description: 'Sells containers and WordPress sites that an Innkeeper controller runs.',
    version: '1.0.0',
    author: 'Innkeeper',
)]
class Innkeeper extends Server
{
    /** Written by terminateServer before it looks, read by createServer after it has ordered: one of the two sees the other. */
    private const ENDED = 'innkeeper_ended';

    private const ID = 'innkeeper_service';

    // Settings

    public function getConfig($values = [])
    {
        return [
            [
                'name' => 'url', 'label' => 'URL of the controller', 'type' => 'text', 'required' => true,
                'placeholder' => 'https://innkeeper.example.org:8443', 'validation' => 'starts_with:https://',
                'description' => 'Of its API, without a path.',
            ],
            [
                'name' => 'key', 'label' => 'API key', 'type' => 'password', 'required' => true, 'encrypted' => true,
                'description' => 'innctl key create paymenter --scope services',
            ],
            [
                'name' => 'instance', 'label' => 'Name of this panel', 'type' => 'text', 'required' => true,
                'placeholder' => 'shop', 'validation' => ['regex:/^[a-z0-9-]{1,32}$/'],
                'description' => 'Tells this panel\'s services from those of others. It must never change: a-z, 0-9 and -.',
            ],
            [
                'name' => 'authority', 'label' => 'Certificate authority', 'type' => 'textarea', 'required' => false,
                'description' => 'The controller\'s ca.pem. Empty where its certificate is one of the public.',
            ],
            [
                'name' => 'wait', 'label' => 'Seconds to wait', 'type' => 'number', 'default' => 30, 'min_value' => 0,
                'max_value' => 45, 'required' => false,
                'description' => 'How long a job waits for work to end; it goes on at the controller in any case.',
            ],
        ];
    }

    public function testConfig()
    {
        try {
            $this->external((object) ['id' => 0]);
            $api = $this->api(10, 1);
            $plans = $this->plans($api);
            $this->requireScope($api);
        } catch (Exception $problem) {
            return $problem->getMessage();
        }

        return $plans === [] ? 'It answers, but there is no plan to sell: see innctl plan import.' : true;
    }

    /** An order without anything in it is refused for its fields by who may order, and for the scope by who may not. */
    private function requireScope(Api $api): void
    {
        try {
            $api->post('/api/v1/services');
        } catch (ApiProblem $problem) {
            if ($problem->status !== 400) {
                throw $problem;
            }
        }
    }

    public function getProductConfig($values = [])
    {
        $plan = ['name' => 'plan', 'label' => 'Plan', 'type' => 'select', 'required' => true];
        try {
            $plan['options'] = array_map(fn ($plan) => [
                'value' => $plan['name'], 'label' => $plan['name'] . ' (' . $plan['product'] . ')',
            ], $this->plans($this->api(8, 2)));
        } catch (Exception $problem) {
            // What is chosen already must stay to be seen, and the page must open.
            $plan = ['type' => 'text', 'description' => 'The plans cannot be listed. ' . $problem->getMessage()] + $plan;
        }

        return [
            $plan,
            [
                'name' => 'choices', 'label' => 'What customers may choose', 'type' => 'textarea', 'required' => false,
                'placeholder' => "memory_bytes: 2GiB 4GiB 8GiB\ndisk_bytes: 20GiB 40GiB",
                'description' => 'One line for each field: its allowed amounts. A configurable option whose variable is '
                    . 'the field\'s name sets it. Nothing else of what a customer enters reaches the plan.',
            ],
            [
                'name' => 'ask_title', 'label' => 'Ask for the site\'s title', 'type' => 'checkbox', 'required' => false,
                'database_type' => 'boolean', 'description' => 'At the checkout; for WordPress.',
            ],
        ];
    }

    public function getCheckoutConfig($product, $values = [], $settings = [])
    {
        if (empty($settings['ask_title'])) {
            return [];
        }

        return [[
            'name' => 'title', 'label' => 'Title of the site', 'type' => 'text', 'required' => false,
            'validation' => ['nullable', 'string', 'max:200'],
        ]];
    }

    /** The panel's pages for customers post to these. */
    public function boot()
    {
        require __DIR__ . '/routes.php';
    }

    // Lifecycle

    public function createServer($service, $settings, $properties)
    {
        if ((int) ($service->quantity ?? 1) !== 1) {
            throw new Exception('One order of Innkeeper is one service: set the quantity to 1 and forbid others in the product.');
        }
        $order = Order::of($settings, $properties);
        $this->requireWanted($service);
        $api = $this->api();
        $known = $this->known($api, $service);
        if ($known !== null && in_array($known['state'] ?? null, ['terminating', 'terminated'], true)) {
            throw new Exception('This service was terminated, and its data with it: sell a new one.');
        }
        $operation = match ($known['state'] ?? null) {
            null => $this->order($api, $service, $order, $settings, $properties),
            'failed' => $api->post($this->path($known, '/retry'))['operation'] ?? [],
            default => $known['operation'] ?? [],
        };
        $known = $this->known($api, $service)
            ?? throw new Exception('Innkeeper has taken the order but does not know the service: look for two controllers under one address.');
        $this->keep($service, self::ID, 'Innkeeper: service', $known['id']);
        $this->follow($api, $service, $known);
        $this->settle($api, $operation, 'provision', $known);

        return $this->told($api, $service);
    }

    public function suspendServer($service, $settings, $properties)
    {
        $this->change($service, 'suspend', 'suspended');
    }

    public function unsuspendServer($service, $settings, $properties)
    {
        $this->change($service, 'resume', 'running');
    }

    public function terminateServer($service, $settings, $properties)
    {
        $this->keep($service, self::ENDED, 'Innkeeper: terminated', gmdate('Y-m-d H:i:s') . ' UTC');
        $api = $this->api();
        $known = $this->known($api, $service);
        if ($known !== null && ($known['state'] ?? null) !== 'terminated') {
            $this->settle($api, $this->asked($api, $service, $known, 'terminate', 'terminated'), 'terminate', $known);
        }
    }

    /** Makes it equal to what is sold now. */
    public function upgradeServer($service, $settings, $properties)
    {
        $order = Order::of($settings, $properties);
        $api = $this->api();
        $known = $this->requireKnown($api, $service);
        $body = ['plan' => $order->plan] + ($order->amounts === [] ? [] : ['overrides' => $order->amounts]);
        $taken = $api->post($this->path($known, '/upgrade'), $body);
        $this->settle($api, $taken['operation'] ?? [], 'upgrade', $known);
    }

    // For customers

    public function getActions($service, $settings, $properties)
    {
        $api = $this->api(4, 1);
        $known = $this->requireKnown($api, $service);
        $verbs = $this->verbs($api, $known);
        $actions = [['type' => 'view', 'name' => 'overview', 'label' => 'Overview']];
        if (preg_grep('/domain/', $verbs) !== []) {
            $actions[] = ['type' => 'view', 'name' => 'domains', 'label' => 'Domains'];
        }
        if (preg_grep('/^back-?up$/', $verbs) !== []) {
            $actions[] = ['type' => 'view', 'name' => 'backups', 'label' => 'Backups'];
            $actions[] = ['type' => 'button', 'label' => 'Back up now', 'function' => 'backUp'];
        }
        if (in_array('restart', $verbs, true)) {
            $actions[] = ['type' => 'button', 'label' => 'Restart', 'function' => 'restart'];
        }

        return $actions;
    }

    public function getView($service, $settings, $properties, $viewName)
    {
        $pages = new Pages($service);
        try {
            $api = $this->api(6, 1);
            $known = $this->requireKnown($api, $service);
            $path = $this->path($known);

            return match ($viewName) {
                'domains' => $pages->domains($api->all("$path/domains")),
                'backups' => $pages->backups($api->all("$path/backups")),
                default => $pages->overview($known, $api->all('/api/v1/allocations?service=' . rawurlencode($known['id']))),
            };
        } catch (Exception) {
            return $pages->away();
        }
    }

    public function restart($service, $settings, $properties)
    {
        return $this->clicked($service, 'overview', fn (Api $api, array $known) => $api->post(
            $this->path($known, '/verbs/restart'), [], $this->click($known, 'restart')));
    }

    public function backUp($service, $settings, $properties)
    {
        return $this->clicked($service, 'backups', fn (Api $api, array $known) => $api->post(
            $this->path($known, '/backups'), [], $this->click($known, 'backups')));
    }

    public function addDomain($service, $settings, $properties, $domain)
    {
        return $this->clicked($service, 'domains', fn (Api $api, array $known) => $api->post(
            $this->path($known, '/domains'), ['domain' => $domain]));
    }

    public function checkDomain($service, $settings, $properties, $domain)
    {
        return $this->clicked($service, 'domains', fn (Api $api, array $known) => $api->post(
            $this->path($known, '/domains/' . rawurlencode($domain) . '/check')));
    }

    public function removeDomain($service, $settings, $properties, $domain)
    {
        return $this->clicked($service, 'domains', fn (Api $api, array $known) => $api->delete(
            $this->path($known, '/domains/' . rawurlencode($domain))));
    }

    /** Only a backup in the service's own list: the key of the panel could restore any. */
    public function restoreBackup($service, $settings, $properties, $backup)
    {
        return $this->clicked($service, 'backups', function (Api $api, array $known) use ($backup) {
            $own = array_column($api->all($this->path($known, '/backups')), 'id');
            if (!in_array($backup, $own, true)) {
                throw new ApiProblem(404, 'not-found', 'There is no such backup.');
            }

            return $api->post('/api/v1/backups/' . rawurlencode($backup) . '/restore', [], $this->click($known, "restore/$backup"));
        });
    }

    /**
     * Does what a customer asks for, and returns where to go on. What failed is said in words for customers: the
     * controller's own are for who runs it.
     *
     * @param  callable(Api, array): array  $act
     */
    private function clicked($service, string $view, callable $act): string
    {
        try {
            if ($service->fresh()?->status !== 'active') {
                throw new ApiProblem(409, 'conflict', 'The service is not active.');
            }
            $api = $this->api(15, 2);
            $act($api, $this->requireKnown($api, $service));
        } catch (Exception $problem) {
            $refused = $problem instanceof ApiProblem && in_array($problem->status, [400, 404, 409, 422], true);
            throw new DisplayException($refused
                ? $this->refusal($problem)
                : 'This cannot be done now. Try again in a moment, or ask your provider.');
        }

        return route('services.show', ['service' => $service->id, 'tab' => $view]);
    }

    private function refusal(ApiProblem $problem): string
    {
        return match ($problem->status) {
            400, 422 => 'That is not possible: ' . ApiProblem::text(preg_replace('/^Innkeeper refuses it: /', '', $problem->getMessage()), 200),
            404 => 'There is no such thing any more.',
            default => 'That does not go now: something else is under way, it is in use elsewhere, or the plan does not allow more.',
        };
    }

    /** One click and its repetition while the first is under way are one request. */
    private function click(array $known, string $what): string
    {
        return hash('sha256', implode('|', [$known['id'], $known['generation'] ?? 0, $what]));
    }

    // The controller

    private function api(float $seconds = 50, int $attempts = 4): Api
    {
        $authority = trim((string) $this->config('authority'));

        return new Api(
            (string) $this->config('url'), (string) $this->config('key'), $authority === '' ? null : $authority . "\n",
            $seconds, $attempts);
    }

    private function external($service): string
    {
        $instance = (string) $this->config('instance');
        if (preg_match('/^[a-z0-9-]{1,32}$/', $instance) !== 1) {
            throw new Exception('The name of this panel in the server\'s settings must be 1 to 32 of a-z, 0-9 and -.');
        }

        return "paymenter:$instance:" . (int) $service->id;
    }

    /** The controller's service, with its newest operation; null where it knows none. */
    private function known(Api $api, $service): ?array
    {
        $external = $this->external($service);
        $known = $api->find('/api/v1/services/' . rawurlencode($external));
        if ($known !== null && (($known['external_id'] ?? null) !== $external || !is_string($known['id'] ?? null))) {
            throw new ApiProblem(200, 'malformed', 'Innkeeper has answered with another service than it was asked for.');
        }

        return $known;
    }

    private function requireKnown(Api $api, $service): array
    {
        return $this->known($api, $service)
            ?? throw new ApiProblem(404, 'not-found', 'Innkeeper has no service for this order: trigger its creation first.');
    }

    private function path(array $known, string $rest = ''): string
    {
        return '/api/v1/services/' . rawurlencode($known['id']) . $rest;
    }

    /** @return list<array{name: string, product: string}> those that can be sold */
    private function plans(Api $api): array
    {
        return array_values(array_filter($api->all('/api/v1/plans'), fn ($plan) => is_string($plan['name'] ?? null)
            && is_string($plan['product'] ?? null) && empty($plan['retired_at'])));
    }

    private function product(Api $api, string $name): array
    {
        return $api->get('/api/v1/products/' . rawurlencode($name));
    }

    /** @return list<string> */
    private function verbs(Api $api, array $known): array
    {
        $verbs = $this->product($api, (string) ($known['product'] ?? ''))['verbs'] ?? [];

        return array_values(array_filter(array_column(is_array($verbs) ? $verbs : [], 'name'), 'is_string'));
    }

    /** Returns the operation that provisions it. */
    private function order(Api $api, $service, Order $order, array $settings, array $properties): array
    {
        $external = $this->external($service);
        $plan = $api->find('/api/v1/plans/' . rawurlencode($order->plan))
            ?? throw new Exception("Innkeeper has no plan {$order->plan}: choose another one in the product's settings.");
        $ofItsOwn = $this->product($api, (string) ($plan['product'] ?? ''))['overridable'] ?? [];
        $overrides = $order->amounts;
        if (in_array('email', $ofItsOwn, true)) {
            $overrides['email'] = (string) $service->user->email;
        }
        $title = trim(ApiProblem::text($properties['title'] ?? null, 200));
        if (!empty($settings['ask_title']) && $title !== '' && in_array('title', $ofItsOwn, true)) {
            $overrides['title'] = $title;
        }
        $body = [
            'external_id' => $external,
            'customer' => 'paymenter:' . $this->config('instance') . ':user-' . (int) $service->user_id,
            'plan' => $order->plan,
        ] + ($overrides === [] ? [] : ['overrides' => $overrides]);
        // With other values it is another request: then the external id alone decides.
        $key = hash('sha256', $external . '|' . json_encode($body));
        try {
            return $api->post('/api/v1/services', $body, $key)['operation'] ?? [];
        } catch (ApiProblem $problem) {
            // Another worker was quicker, with other values.
            $known = $problem->status === 409 ? $this->known($api, $service) : null;

            return $known['operation'] ?? throw $problem;
        }
    }

    private function change($service, string $verb, string $goal): void
    {
        $api = $this->api();
        $known = $this->requireKnown($api, $service);
        $this->settle($api, $this->asked($api, $service, $known, $verb, $goal), $verb, $known);
    }

    /** Asks for a change of state and returns its operation. What is so already, or under way, is a success. */
    private function asked(Api $api, $service, array $known, string $verb, string $goal): array
    {
        try {
            return $api->post($this->path($known, "/$verb"))['operation'] ?? [];
        } catch (ApiProblem $problem) {
            $now = $problem->status === 409 ? $this->known($api, $service) : null;
            if ($now !== null && ($now['operation']['kind'] ?? null) === $verb && !Api::isOver($now['operation'])) {
                return $now['operation'];
            }
            if ($now !== null && ($now['state'] ?? null) === $goal) {
                return [];
            }
            throw $problem;
        }
    }

    /** Waits for an operation of this kind for as long as the settings say; it may still be under way then. Throws when it did not go well. */
    private function settle(Api $api, array $operation, string $kind, array $known): void
    {
        if (($operation['kind'] ?? null) !== $kind || !is_string($operation['id'] ?? null)) {
            return;
        }
        $seconds = $this->config('wait');
        $operation = $api->wait($operation['id'], is_numeric($seconds) ? min(45, max(0, (float) $seconds)) : 30);
        $state = $operation['state'] ?? '';
        if (!Api::isOver($operation) || in_array($state, ['succeeded', 'resolved'], true)) {
            return;
        }
        $what = ['provision' => 'create', 'terminate' => 'terminate'][$kind] ?? $kind;
        if ($state === 'cancelled') {
            throw new Exception("To $what the service was called off at Innkeeper.");
        }
        $code = ApiProblem::text($operation['error']['code'] ?? null, 64);
        // The controller's words name nodes; who runs it reads them there.
        throw new Exception("Innkeeper could not $what the service ($code): innctl operation show "
            . ApiProblem::text($operation['id'], 64) . ' tells why.');
    }

    /** The panel may have gone on while the order was under way: what it wants of the service now is done behind it. */
    private function follow(Api $api, $service, array $known): void
    {
        $now = $service->fresh();
        $status = $now === null || $this->kept($now, self::ENDED) ? 'cancelled' : $now->status;
        if ($status === 'cancelled') {
            $this->asked($api, $service, $known, 'terminate', 'terminated');
            throw new Exception('The service was terminated while it was created; Innkeeper takes it down again.');
        }
        if ($status === 'suspended') {
            $this->asked($api, $service, $known, 'suspend', 'suspended');
        }
    }

    private function requireWanted($service): void
    {
        $now = $service->fresh();
        if ($now === null || $now->status === 'cancelled' || $this->kept($now, self::ENDED)) {
            throw new Exception('The service is cancelled, so Innkeeper does not create it. Where that is wrong, activate it '
                . 'and remove its property ' . self::ENDED . '.');
        }
    }

    private function keep($service, string $key, string $name, string $value): void
    {
        $service->properties()->updateOrCreate(['key' => $key], ['name' => $name, 'value' => $value]);
    }

    private function kept($service, string $key): bool
    {
        return $service->properties()->where('key', $key)->exists();
    }

    /** For the mail to the customer. */
    private function told(Api $api, $service): array
    {
        $known = $this->known($api, $service);
        if ($known === null) {
            return [];
        }
        $addresses = Pages::addresses($api->all('/api/v1/allocations?service=' . rawurlencode($known['id'])));

        return ['innkeeper_state' => ApiProblem::text($known['state'] ?? null, 32), 'innkeeper_address' => $addresses[0] ?? ''];
    }
}
