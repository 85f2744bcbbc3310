<?php

use Invoicing\Money;

?>
<!doctype html>
<html lang="fr">
<meta charset="utf-8">
<title>Facturation · <?= $e($config->company) ?></title>
<link rel="stylesheet" href="/style.css">
<?php if ($config->banner !== '') : ?>
<p class="banner"><?= $e($config->banner) ?></p>
<?php endif ?>
<header>
    <a href="<?= $e($config->homeUrl) ?>"><?= $e($config->company) ?></a> <h1>Facturation</h1> <?= $e($user) ?>

</header>
<main>
<table>
    <tr><th>Numéro<th>Date<th>Client<th class="number">Total TTC<th>Comptabilisée<th>Envoyée<th>Réglée
<?php foreach ($invoices as $invoice) : ?>
    <tr>
        <td><?= $e($invoice->number()) ?>

        <td><?= $e($invoice->issuedOn) ?>

        <td><?= $e($invoice->customer) ?>

        <td class="number"><?= $e(Money::format($invoice->totalCents(), $config->currency)) ?>

        <td><?= $invoice->postedAt ? 'oui' : 'bientôt' ?>

        <td><?= $invoice->mailedAt ? 'oui' : 'bientôt' ?>

        <td><?= $e($invoice->paidOn ?? 'non') ?>

<?php endforeach ?>
</table>
<h2>Nouvelle facture</h2>
<?php if ($problem !== '') : ?>
<p class="error"><?= $e($problem) ?></p>
<?php endif ?>
<form method="post">
    <label>Client <input name="customer" required></label>
    <label>Adresse électronique <input name="email" type="email" required></label>
    <label>Montant hors taxe <input name="net" inputmode="decimal" placeholder="1250,00" required></label>
    <button>Facturer</button>
</form>
</main>
<footer>invoicing <?= $e($config->version) ?> · TVA <?= $e($config->vatRate) ?> %</footer>
