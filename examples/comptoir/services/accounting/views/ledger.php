<!doctype html>
<html lang="fr">
<meta charset="utf-8">
<title>Comptabilité · <?= $e($config->company) ?></title>
<link rel="stylesheet" href="/style.css">
<?php if ($config->banner !== '') : ?>
<p class="banner"><?= $e($config->banner) ?></p>
<?php endif ?>
<header><a href="<?= $e($config->homeUrl) ?>"><?= $e($config->company) ?></a> <h1>Comptabilité</h1></header>
<main>
<h2>Balance</h2>
<table>
    <tr><th>Compte<th class="number">Solde (<?= $e($config->currency) ?>)
<?php foreach ($balance as $account => $cents) : ?>
    <tr><td><?= $e($account) ?><td class="number"><?= number_format($cents / 100, 2, ',', ' ') ?>

<?php endforeach ?>
</table>
<h2>Écritures</h2>
<table>
    <tr><th>Date<th>Libellé<th>Débit<th>Crédit<th class="number">Montant<th>Origine
<?php foreach ($entries as $entry) : ?>
    <tr>
        <td><?= $e($entry['date']) ?>

        <td><?= $e($entry['label']) ?>

        <td><?= $e($entry['debit']) ?>

        <td><?= $e($entry['credit']) ?>

        <td class="number"><?= number_format($entry['amount_cents'] / 100, 2, ',', ' ') ?>

        <td><?= $e($entry['source'] . ' ' . $entry['reference']) ?>

<?php endforeach ?>
</table>
</main>
<footer>accounting <?= $e($config->version) ?></footer>
