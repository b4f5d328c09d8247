# Perl's Net::FTP over TLS, by IO::Socket::SSL: ftps_perl.pl PORT VERSION COUNT. The scenario; see ../ftps.py.
use strict;
use warnings;
use Net::FTP;

my ($port, $version, $count) = @ARGV;
$version =~ s/\./_/;
my $ftp = Net::FTP->new("127.0.0.1", Port => $port, Timeout => 20, Passive => 1,
	SSL_verify_mode => 0, SSL_version => "TLSv$version") or die "connect: $@";
my $must = sub { $_[0] or die $ftp->message };
$must->($ftp->starttls);
$must->($ftp->login($ENV{FTPS_USER}, $ENV{FTPS_PASSWORD}));
$must->($ftp->prot("P"));
$ftp->binary;

sub list {
	open(my $out, ">", $_[0]) or die;
	my $lines = $ftp->dir or die $ftp->message;
	print $out "$_\n" for @$lines;
	close $out;
}

list("list");
$must->($ftp->put("up/f$_", "f$_")) for 0 .. $count - 1;
$must->($ftp->get("f$_", "down/f$_")) for 0 .. $count - 1;
$must->($ftp->get("half", "down/half", -s "down/half"));
my $data = $ftp->retr("big") or die $ftp->message;
$data->read(my $bytes, 1000) or die "nothing of big";
# Not abort(): that sends Telnet's bytes beside TLS, which ends the session.
$data->_close;
$ftp->response;
list("list2");
$ftp->quit;
