<!doctype html>
<html lang="fr">
<meta charset="utf-8">
<title>Facturation · <?= $e($config->company) ?></title>
<link rel="stylesheet" href="/style.css">
<?php if ($config->banner !== '') : ?>
<p class="banner"><?= $e($config->banner) ?></p>
<?php endif ?>
<header><h1>Facturation</h1></header>
<main><p><a href="<?= $e($config->homeUrl) ?>">Connectez-vous</a> pour voir les factures.</p></main>
<footer>invoicing <?= $e($config->version) ?></footer>
