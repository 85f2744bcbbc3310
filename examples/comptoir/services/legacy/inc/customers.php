<?php

declare(strict_types=1);

namespace Legacy;

use PDO;

function customers(PDO $db): array
{
    return $db->query('SELECT id, name, email, city FROM customers ORDER BY name')->fetchAll();
}

function add_customer(PDO $db, array $customer): void
{
    $db->prepare('INSERT INTO customers (name, email, city) VALUES (:name, :email, :city)')->execute($customer);
}

/** The customer and what is wrong with it, in the words of the page. */
function parse_customer(array $form): array
{
    $customer = [
        'name' => trim($form['name'] ?? ''),
        'email' => trim($form['email'] ?? ''),
        'city' => trim($form['city'] ?? ''),
    ];
    $problems = [];
    if ($customer['name'] === '') {
        $problems[] = 'Le nom est obligatoire.';
    }
    if (!filter_var($customer['email'], FILTER_VALIDATE_EMAIL)) {
        $problems[] = "L'adresse électronique n'est pas valable.";
    }

    return [$customer, $problems];
}
