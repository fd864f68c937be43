# toolkit.pl VALUES POOL OUTPUT: render every .tt2 below POOL to OUTPUT as the platform's tool does: values are
# loaded once, then each template is rendered by a process of its own, as many at once as there are processors.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Find ();
use File::Path qw(make_path);
use JSON::PP ();
use Template;

my ($values_file, $pool, $output) = @ARGV;
open my $stream, '<', $values_file or die "$values_file: $!\n";
my $values = JSON::PP->new->utf8->decode(do { local $/; <$stream> });
my $toolkit = Template->new({ ABSOLUTE => 1, ENCODING => 'utf8', EVAL_PERL => 1, RELATIVE => 1 });
chomp(my $jobs = qx(nproc));

my @files;
File::Find::find({ no_chdir => 1, wanted => sub { push @files, $_ if /\.tt2$/ } }, $pool);
my ($running, $failed) = (0, 0);
for my $file (sort @files) {
    my $child = fork // die "fork: $!\n";
    if (!$child) {
        (my $target = $file) =~ s/^\Q$pool\E(.*)\.tt2$/$output$1/;
        make_path(dirname($target));
        open my $made, '>:utf8', "$target.new" or die "$target: $!\n";
        $toolkit->process($file, $values, $made) or die $toolkit->error, "\n";
        close $made or die "$target: $!\n";
        rename "$target.new", $target or die "$target: $!\n";
        exit 0;
    }
    if (++$running >= $jobs) {
        wait;
        $failed = 1 if $?;
        $running--;
    }
}
while (wait > 0) {
    $failed = 1 if $?;
}
exit $failed;
