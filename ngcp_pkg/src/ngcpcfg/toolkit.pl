# Renders templates of Perl's Template Toolkit for ngcpcfg.
#
# What comes in, as JSON on standard input: {values: {}, facts: {}, templates: [text], base, includes: [directory]}.
# What goes out, as JSON on standard output, in the same order: [{text} or {error, line}]. Without Template Toolkit
# it ends with status 3.

use strict;
use warnings;

use JSON::PP ();

eval { require Template; require Template::Plugin; 1 } or exit 3;

package NGCP::Utils;

# [% USE Utils %]: what the platform's templates know by that name.

BEGIN { $INC{'NGCP/Utils.pm'} = __FILE__ }
our @ISA = ('Template::Plugin');
use Data::Dumper ();
use MIME::Base64 ();

sub new {
    my ($class, $context) = @_;
    return bless {}, $class;
}

sub encode_base64 {
    my ($self, $text) = @_;
    return MIME::Base64::encode($text, '');
}

sub to_perl {
    my ($self, $value) = @_;
    local $Data::Dumper::Sortkeys = 1;
    return Data::Dumper::Dumper($value);
}

sub get_ref {
    my ($self, $value) = @_;
    return ref $value;
}

package NGCP::Node;

# The object ngcp of the platform's templates: what one node that is whole in itself answers.

sub new {
    my ($class, $values, $facts) = @_;
    return bless { values => $values, facts => $facts }, $class;
}

sub _host {
    my ($self, $name) = @_;
    my $hosts = $self->{values}{hosts} // {};
    return $hosts->{ $name // 'self' } // $hosts->{self} // {};
}

sub has_role {
    my ($self, $name, $role) = @_;
    return scalar(grep { /^(?:$role)$/ } @{ $self->_host($name)->{role} // [] }) ? 1 : 0;
}

sub get_hostname { return $_[0]{facts}{hostname} }
sub get_version  { return $_[0]{facts}{version} }
sub get_online_cpus { return $_[0]{facts}{cpus} }

sub get_nodename {
    my ($self) = @_;
    my $name = $self->{facts}{nodename};
    my $hosts = $self->{values}{hosts} // {};
    return exists $hosts->{self} && !exists $hosts->{$name} ? 'self' : $name;
}

sub get_pairname { return 'spce' }

sub get_mgmt_pairname { return 'sp' }
sub get_mgmt_node { return 'sp' }

sub get_peername {
    my ($self, $name) = @_;
    return $self->_host($name)->{peer};
}

sub get_dbnode {
    my ($self, $name) = @_;
    return $self->_host($name)->{dbnode};
}

sub get_firstname {
    my ($self, $name) = @_;
    return 'self' unless exists(($self->{values}{hosts} // {})->{ $name // '' });
    return (sort grep { defined } $name, $self->get_peername($name))[0];
}

sub get_instances { return [] }

sub get_redis_info {
    my ($self) = @_;
    return $self->{values}{redis} // {};
}

sub get_ssh_pub_key {
    my ($self, $type) = @_;
    my $file = "$self->{facts}{main}/shared-files/ssh/id_$type.pub";
    open my $stream, '<', $file or die "cannot open $file: $!\n";
    my $key = <$stream> // '';
    chomp $key;
    return $key;
}

sub net_ip_expand {
    my ($self, $address) = @_;
    return $address unless $address =~ /::/;
    my ($left, $right) = map { [ split /:/ ] } split(/::/, $address, 2);
    my @between = (0) x (8 - @$left - @{ $right // [] });
    return join ':', @$left, @between, @{ $right // [] };
}

sub replace_metavars {
    my ($self, $text) = @_;
    my %known = ('%' => '%', v => $self->get_version);
    $text =~ s/%(.)/exists $known{$1} ? $known{$1} : "%$1"/eg;
    return $text;
}

package NGCP::Includes;

# What templates take in from /usr/lib/ngcp-ngcpcfg: arguments come in argv, the answer goes out in out.

my $home = '/usr/lib/ngcp-ngcpcfg';

# The addresses of the interfaces that are for something, of hosts that do something.
sub _addresses {
    my ($node, $argv, $key) = @_;
    my $hosts = $node->{values}{hosts} // {};
    my @names = exists $argv->{host} ? ($argv->{host}) : sort keys %$hosts;
    my $type = length($argv->{type} // '') ? $argv->{type} : '.*';
    my %found;
    for my $name (@names) {
        my $host = $node->_host($name);
        next if defined $argv->{role} && !$node->has_role($name, $argv->{role});
        for my $interface (map { $host->{$_} } @{ $host->{interfaces} // [] }) {
            next unless ref $interface eq 'HASH' && grep { /^(?:$type)$/ } @{ $interface->{type} // [] };
            my $value = $interface->{$key} // '';
            $found{$_} = 1 for grep { length } ref $value ? @$value : $value;
        }
    }
    return [ sort keys %found ];
}

sub _interfaces {
    my ($node, $argv) = @_;
    my $host = $node->_host($argv->{host});
    my $type = length($argv->{type} // '') ? $argv->{type} : '.*';
    return [ grep { grep { /^(?:$type)$/ } @{ ($host->{$_} // {})->{type} // [] } } @{ $host->{interfaces} // [] } ];
}

my %answers = (
    get_all_ifaces_for_host => \&_interfaces,
    get_dbnode => sub { $_[0]->get_dbnode($_[1]{host}) },
    get_firstname => sub { $_[0]->get_firstname($_[1]{host}) },
    get_hostname => sub { $_[0]->get_hostname },
    get_mgmt_name => sub { $_[0]->get_hostname },
    get_mgmt_node => sub { $_[0]->get_mgmt_pairname },
    get_ngcp_type => sub { 'spce' },
    get_ngcp_version => sub { $_[0]->get_version },
    get_nodename => sub { $_[0]->get_nodename },
    get_pairname => sub { $_[0]->get_pairname },
    get_peername => sub { $_[0]->get_peername($_[1]{host}) },
    has_role => sub { $_[0]->has_role($_[1]{host}, $_[1]{role}) },
    map {
        my $key = $_;
        my %names = (ip => 'ips', v6ip => 'v6ips', shared_ip => 'shared_ips', shared_v6ip => 'shared_v6ips');
        map { ($_ => sub { _addresses(@_, $key) }) } "get_all_$names{$key}", "get_all_$names{$key}_for_host";
    } qw(ip v6ip shared_ip shared_v6ip),
);

# One block for each, by the name under which templates ask for it.
sub blocks {
    my ($node) = @_;
    return {
        map {
            my $answer = $answers{$_};
            ("$home/$_" => sub {
                my ($context) = @_;
                my $stash = $context->stash;
                $stash->set(out => $answer->($node, $stash->get('argv') || {}));
                return '';
            });
        } keys %answers
    };
}

package main;

my $json = JSON::PP->new->utf8;
my $input = do { local $/; <STDIN> };
my $job = $json->decode($input);
chdir $job->{base} or die "cannot change to $job->{base}: $!\n";

my $node = NGCP::Node->new($job->{values}, $job->{facts});
my $toolkit = Template->new({
    ABSOLUTE     => 1,
    BLOCKS       => NGCP::Includes::blocks($node),
    ENCODING     => 'utf8',
    EVAL_PERL    => 1,
    INCLUDE_PATH => $job->{includes},
    PLUGINS      => { Utils => 'NGCP::Utils' },
    RELATIVE     => 1,
}) or die Template->error, "\n";

my @made;
for my $text (@{ $job->{templates} }) {
    my $made = '';
    if ($toolkit->process(\$text, { %{ $job->{values} }, ngcp => $node }, \$made)) {
        push @made, { text => $made };
    }
    else {
        my $error = $toolkit->error;
        my ($line) = "$error" =~ /(?:input text|\(eval \d+\)) line (\d+)/;
        push @made, { error => "@{[ ref $error ? $error->info : $error ]}", line => $line };
    }
}
print $json->encode(\@made);
