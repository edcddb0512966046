<?php

namespace Paymenter\Extensions\Servers\Innkeeper;

use Exception;

/**
 * What a panel's product asks of the controller: a plan, and amounts that the customer may choose.
 *
 * Whatever the customer has typed or chosen is worth nothing by itself: an amount counts if it stands in the list that
 * the staff has written for the product, and the controller checks it once more.
 */
final class Order
{
    private const UNITS = ['' => 1, 'KiB' => 1 << 10, 'MiB' => 1 << 20, 'GiB' => 1 << 30, 'TiB' => 1 << 40];

    /** @param  array<string, int>  $amounts */
    private function __construct(public readonly string $plan, public readonly array $amounts)
    {
    }

    /**
     * @param  array  $settings  of the panel's product
     * @param  array  $properties  of the panel's service, with the chosen options under their variables
     */
    public static function of(array $settings, array $properties): self
    {
        $plan = $settings['plan'] ?? null;
        if (!is_string($plan) || preg_match('/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/', $plan) !== 1) {
            throw new Exception('The product has no plan of Innkeeper: choose one in the product\'s settings.');
        }
        $amounts = [];
        foreach (self::choices($settings['choices'] ?? null) as $field => $allowed) {
            if (!array_key_exists($field, $properties)) {
                continue;
            }
            $wanted = self::amount($properties[$field]);
            if ($wanted === null || !in_array($wanted, $allowed, true)) {
                throw new Exception("The option $field has a value that is not among the choices of the product.");
            }
            $amounts[$field] = $wanted;
        }

        return new self($plan, $amounts);
    }

    /**
     * The list that the staff has written: one line for each field, `memory_bytes: 1GiB 2GiB 4GiB`.
     *
     * @return array<string, list<int>>
     */
    public static function choices(mixed $text): array
    {
        $choices = [];
        foreach (preg_split('/\R/', is_string($text) ? $text : '') as $number => $line) {
            if (trim($line) === '') {
                continue;
            }
            $where = 'Line ' . ($number + 1) . ' of the choices';
            if (preg_match('/^\s*([a-z][a-z0-9_]{0,63})\s*:\s*(.*?)\s*$/', $line, $parts) !== 1 || $parts[2] === '') {
                throw new Exception("$where must be such as \"memory_bytes: 1GiB 2GiB\".");
            }
            foreach (preg_split('/[\s,]+/', $parts[2], -1, PREG_SPLIT_NO_EMPTY) as $word) {
                $choices[$parts[1]][] = self::amount($word)
                    ?? throw new Exception("$where has \"" . ApiProblem::text($word, 32) . '", which is no amount.');
            }
        }

        return $choices;
    }

    /** `2GiB`, `2 GiB` or `2147483648`; null for anything else. */
    private static function amount(mixed $text): ?int
    {
        if (!is_scalar($text) || preg_match('/^\s*([0-9]{1,15})\s*([KMGT]iB|)\s*$/', (string) $text, $parts) !== 1) {
            return null;
        }
        $amount = (int) $parts[1] * self::UNITS[$parts[2]];

        return is_int($amount) ? $amount : null;
    }
}
