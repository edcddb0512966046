<?php

namespace Paymenter\Extensions\Servers\Innkeeper;

/**
 * What customers see of their service. The panel puts it into its page as it is: every text in it that comes from
 * elsewhere goes through `text`. It tells nothing of nodes, and none of the controller's own sentences on failures.
 */
final class Pages
{
    private const STATES = [
        'pending' => 'waiting to be set up', 'provisioning' => 'being set up', 'running' => 'running',
        'suspending' => 'being suspended', 'suspended' => 'suspended', 'upgrading' => 'being upgraded',
        'terminating' => 'being removed', 'terminated' => 'removed', 'failed' => 'not set up: your provider knows',
    ];

    private const DOMAIN_STATES = [
        'awaiting_proof' => 'Waiting for the TXT record that proves that it is yours',
        'proven' => 'Proven; waiting for its addresses to lead here',
        'routed' => 'Leads here; its certificate is being made',
        'certified' => 'Has its certificate; the site is being told',
        'active' => 'Active',
    ];

    public function __construct(private readonly object $service)
    {
    }

    public static function text(mixed $value): string
    {
        return htmlspecialchars(ApiProblem::text(is_scalar($value) ? (string) $value : '', 1000), ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
    }

    public function away(): string
    {
        return $this->page('<p>This cannot be shown now. Your service is not affected; look again in a moment.</p>');
    }

    public function overview(array $known, array $allocations): string
    {
        $rows = ['State' => self::STATES[$known['state'] ?? ''] ?? 'unknown', 'Plan' => $known['plan'] ?? ''];
        foreach (self::addresses($allocations) as $number => $address) {
            $rows['Address' . ($number > 0 ? ' ' . ($number + 1) : '')] = $address;
        }
        $operation = $known['operation'] ?? null;
        if (is_array($operation) && !Api::isOver($operation)) {
            $rows['Under way'] = ($operation['kind'] ?? '') . ', ' . ($operation['state'] ?? '');
        }
        $html = '';
        foreach ($rows as $label => $value) {
            $html .= '<tr><th class="pr-4 text-left">' . self::text($label) . '</th><td>' . self::text($value) . '</td></tr>';
        }

        return $this->page("<table>$html</table>");
    }

    public function domains(array $domains): string
    {
        $html = '';
        foreach ($domains as $domain) {
            $html .= $this->domain($domain);
        }
        $html .= $this->form('add-domain', 'Add', '<label>Another domain <input name="domain" maxlength="253" required></label>');

        return $this->page($html);
    }

    private function domain(array $domain): string
    {
        $name = is_string($domain['domain'] ?? null) ? $domain['domain'] : '';
        $state = $domain['state'] ?? '';
        $records = is_array($domain['records'] ?? null) ? $domain['records'] : [];
        if (is_array($domain['proof'] ?? null)) {
            $records = [$domain['proof'], ...$records];
        }
        $rows = '';
        foreach (array_slice($records, 0, 20) as $record) {
            $cells = array_map(fn ($field) => '<td class="pr-4"><code>' . self::text($record[$field] ?? '') . '</code></td>', ['type', 'name', 'value']);
            $rows .= '<tr>' . implode('', $cells) . '</tr>';
        }
        $table = $rows === '' ? '' : '<p>Put this into the DNS of the domain:</p><table><tr><th>Type</th><th>Name</th><th>Value</th></tr>' . $rows . '</table>';
        $hidden = '<input type="hidden" name="domain" value="' . self::text($name) . '">';

        return '<div class="mb-4"><h4 class="font-semibold">' . self::text($name) . '</h4><p>'
            . self::text(self::DOMAIN_STATES[$state] ?? $state) . '</p>' . $table
            . $this->form('check-domain', 'Check now', $hidden) . $this->form('remove-domain', 'Remove', $hidden) . '</div>';
    }

    public function backups(array $backups): string
    {
        $html = $backups === [] ? '<p>There is no backup yet.</p>' : '';
        foreach ($backups as $backup) {
            $id = is_string($backup['id'] ?? null) ? $backup['id'] : '';
            $size = is_int($backup['size_bytes'] ?? null) ? sprintf('%.1f MiB', $backup['size_bytes'] / (1 << 20)) : '';
            $words = array_filter([$backup['created_at'] ?? '', $size, $backup['state'] ?? '',
                isset($backup['verified_at']) ? 'verified ' . ApiProblem::text($backup['verified_at'], 40) : '']);
            $html .= '<div class="mb-4"><p>' . self::text(implode(', ', array_map(fn ($word) => ApiProblem::text($word, 100), $words))) . '</p>'
                . $this->form('restore-backup', 'Restore', '<input type="hidden" name="backup" value="' . self::text($id) . '">'
                    . '<label><input type="checkbox" name="sure" value="1" required> All that came since is lost</label>') . '</div>';
        }

        return $this->page($html);
    }

    /** Where a service is reached, as far as customers may know it. */
    public static function addresses(array $allocations): array
    {
        $found = [];
        foreach ($allocations as $allocation) {
            [$kind, $value, $scope, $slot] = array_map(
                fn ($field) => ApiProblem::text($allocation[$field] ?? null, 253), ['kind', 'value', 'scope', 'slot']);
            if ($kind === 'subdomain' && $slot === 'label' && $value !== '') {
                $found[] = "https://$value.$scope";
            } elseif ($kind === 'port') {
                $found[] = "port $value for $slot";
            }
        }

        return $found;
    }

    private function form(string $action, string $label, string $fields): string
    {
        $url = route('extensions.servers.innkeeper.act', ['service' => $this->service->id, 'act' => $action]);

        return '<form method="post" action="' . htmlspecialchars($url, ENT_QUOTES) . '"><input type="hidden" name="_token" value="'
            . htmlspecialchars(csrf_token(), ENT_QUOTES) . '">' . $fields . ' <button type="submit" class="underline">' . self::text($label) . '</button></form>';
    }

    private function page(string $html): string
    {
        $said = session('innkeeper');
        $note = is_string($said) && $said !== '' ? '<p role="status" class="mb-4">' . self::text($said) . '</p>' : '';

        return '<div class="p-4">' . $note . $html . '</div>';
    }
}
