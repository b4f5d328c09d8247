<?php
// PHP's ftp extension: ftps_php.php PORT VERSION COUNT; the version is OpenSSL's configuration's. The scenario; see ../ftps.py.
[, $port, , $count] = $argv;

function must($done, $what)
{
    if ($done === false) {
        fwrite(STDERR, "$what: " . (error_get_last()["message"] ?? "failed") . "\n");
        exit(1);
    }
    return $done;
}

function enter($port)
{
    $ftp = must(ftp_ssl_connect("127.0.0.1", (int)$port, 20), "connect");
    must(@ftp_login($ftp, getenv("FTPS_USER"), getenv("FTPS_PASSWORD")), "login");
    must(@ftp_pasv($ftp, true), "pasv");
    return $ftp;
}

function listing($ftp, $name)
{
    file_put_contents($name, implode("\n", must(@ftp_rawlist($ftp, "."), "list")) . "\n");
}

$ftp = enter($port);
listing($ftp, "list");
for ($i = 0; $i < $count; $i++) {
    must(@ftp_put($ftp, "f$i", "up/f$i", FTP_BINARY), "put");
}
for ($i = 0; $i < $count; $i++) {
    must(@ftp_get($ftp, "down/f$i", "f$i", FTP_BINARY), "get");
}
must(@ftp_get($ftp, "down/half", "half", FTP_BINARY, FTP_AUTORESUME), "resume");
// It has no word for ABOR: who has enough drops the session in the middle. ftp_close() would say QUIT and wait.
if (@ftp_nb_get($ftp, "big", "big", FTP_BINARY) !== FTP_MOREDATA) {
    must(false, "big");
}
unset($ftp);
$ftp = enter($port);
listing($ftp, "list2");
ftp_close($ftp);
