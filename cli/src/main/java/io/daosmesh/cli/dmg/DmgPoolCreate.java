package io.daosmesh.cli.dmg;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.PoolSizing;
import io.daosmesh.admin.PoolSizing.Layout;
import io.daosmesh.admin.grammar.ByteSize;
import io.daosmesh.admin.grammar.KeyValues;
import io.daosmesh.admin.grammar.RankSet;
import io.daosmesh.admin.grammar.TierRatio;
import io.daosmesh.admin.view.PoolView;
import io.daosmesh.cli.AclFiles;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.AclMessage;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.StorageUsageReply;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code dmg pool create}. Owner: the main thread. */
@Command(name = "create", description = "Create a pool")
final class DmgPoolCreate implements Callable<Integer> {
    private static final int LABEL_MAX = 127;

    @ParentCommand
    DmgPool pool = new DmgPool();

    @Parameters(paramLabel = "LABEL", description = "name of the pool")
    String label = "";

    @Option(
            names = {"-z", "--size"},
            paramLabel = "SIZE",
            description = "total, e.g. 300MB, or a share of what is free, e.g. 50%%")
    @Nullable
    String size;

    @Option(
            names = {"-s", "--scm-size"},
            paramLabel = "SIZE",
            description = "SCM on each engine")
    @Nullable
    String scmSize;

    @Option(
            names = {"-n", "--nvme-size"},
            paramLabel = "SIZE",
            description = "NVMe on each engine")
    @Nullable
    String nvmeSize;

    @Option(
            names = {"-t", "--tier-ratio"},
            paramLabel = "SCM,NVME",
            description = "shares in percent (default 6,94)")
    @Nullable
    String tierRatio;

    @Option(
            names = {"-k", "--nranks"},
            paramLabel = "COUNT",
            description = "on so many ranks")
    @Nullable
    Integer rankCount;

    @Option(
            names = {"-r", "--ranks"},
            paramLabel = "RANKS",
            description = "on these ranks")
    @Nullable
    String ranks;

    @Option(
            names = {"-P", "--properties"},
            paramLabel = "K:V,..",
            description = "properties, e.g. rd_fac:2,self_heal:exclude;rebuild")
    @Nullable
    String properties;

    @Option(
            names = {"-v", "--nsvc"},
            paramLabel = "COUNT",
            description = "replicas of its service")
    @Nullable
    Integer serviceCount;

    @Option(
            names = {"-u", "--user"},
            paramLabel = "USER",
            description = "owner (default: you)")
    @Nullable
    String user;

    @Option(
            names = {"-g", "--group"},
            paramLabel = "GROUP",
            description = "owning group (default: yours)")
    @Nullable
    String group;

    @Option(
            names = {"-a", "--acl-file"},
            paramLabel = "FILE",
            description = "access control list, one entry a line")
    @Nullable
    String aclFile;

    @Option(
            names = {"--meta-size", "--data-size", "--mem-ratio"},
            hidden = true,
            description = "not built yet")
    @Nullable
    String notBuilt;

    @Override
    public Integer call() {
        refuseContradictions();
        Map<String, String> values = properties == null ? Map.of() : KeyValues.parse(properties);
        if (values.containsKey("label")) throw DmgSystem.invalid("can't set label property with label argument");
        List<Integer> wanted = ranks == null ? List.of() : RankSet.parse(ranks);
        PoolCreateRequest.Builder request = owned();
        DmgRoot root = pool.root;
        List<MemberMessage> members =
                root.calls().systemQuery(List.of()).getGroupMap().getMembersList();
        Layout layout = PoolSizing.layout(members, wanted, rankCount == null ? 0 : rankCount);
        PoolSizing sizing = sizing(members, layout);
        root.say(sizing.title() + "\n");
        UUID uuid = UUID.randomUUID();
        PoolCreateReply reply = root.calls()
                .poolCreate(request.setPool(Ids.bytes(uuid))
                        .setLabel(label)
                        .setScmBytesPerTarget(sizing.scmPerTarget())
                        .setNvmeBytesPerTarget(sizing.nvmePerTarget())
                        .addAllRanks(wanted)
                        .setRankCount(rankCount == null ? 0 : rankCount)
                        .putAllProperties(values)
                        .setServiceReplicas(serviceCount == null ? 0 : serviceCount)
                        .build());
        return root.show(() -> PoolView.created(reply), () -> PoolView.createdJson(reply, label));
    }

    private PoolCreateRequest.Builder owned() {
        String me = pool.root.user();
        PoolCreateRequest.Builder request = PoolCreateRequest.newBuilder()
                .setUser(AclFiles.name(user == null ? me : user))
                .setGroup(AclFiles.name(group == null ? AclFiles.processGroup().orElse(me) : group));
        if (aclFile != null) request.setAcl(AclMessage.newBuilder().addAllEntries(AclFiles.read(aclFile)));
        return request;
    }

    private void refuseContradictions() {
        if (notBuilt != null) {
            throw Fault.of(FaultCode.NOSYS, "--meta-size, --data-size and --mem-ratio are not built yet")
                    .asException();
        }
        if (size != null && (scmSize != null || nvmeSize != null)) {
            throw DmgSystem.invalid(
                    "unsupported option combination, use (--scm-size and --nvme-size) or (--meta-size and"
                            + " --data-size) or (--size)");
        }
        if (size == null && scmSize == null) {
            throw DmgSystem.invalid(nvmeSize == null ? "no size specified" : "--nvme-size needs --scm-size");
        }
        if (rankCount != null && ranks != null) throw DmgSystem.invalid("--nranks and --ranks cannot be set together");
        if (rankCount != null && rankCount < 1) throw DmgSystem.invalid("--nranks must be above zero");
        if (serviceCount != null && serviceCount < 1) throw DmgSystem.invalid("--nsvc must be above zero");
        if (tierRatio != null && size == null) throw DmgSystem.invalid("--tier-ratio is only for --size");
        if (size != null && ByteSize.percent(size).isPresent() && (rankCount != null || tierRatio != null)) {
            throw DmgSystem.invalid("--size with a percentage cannot be set with --nranks or --tier-ratio");
        }
        if (label.length() > LABEL_MAX || !label.matches("[A-Za-z0-9:._-]+") || isUuid(label)) {
            throw DmgSystem.invalid(
                    "invalid label \"" + label + "\": 1 to 127 letters, digits, ':', '.', '-' or '_', not a UUID");
        }
    }

    private PoolSizing sizing(List<MemberMessage> members, Layout layout) {
        if (size == null) {
            long scm = ByteSize.parse(scmSize == null ? "" : scmSize);
            return PoolSizing.ofEngines(scm, nvmeSize == null ? 0 : ByteSize.parse(nvmeSize), layout);
        }
        OptionalInt percent = ByteSize.percent(size);
        if (percent.isPresent()) return ofFree(percent.getAsInt(), members, layout);
        TierRatio ratio = tierRatio == null ? TierRatio.DEFAULT : TierRatio.parse(tierRatio);
        return PoolSizing.ofTotal(ByteSize.parse(size), ratio, layout);
    }

    /** Not atomic against other creates, as in DAOS: what is free now may be gone in a moment. */
    private PoolSizing ofFree(int percent, List<MemberMessage> members, Layout layout) {
        List<String> hosts = members.stream()
                .filter(m -> layout.ranks().contains(m.getRank()))
                .map(MemberMessage::getAddress)
                .distinct()
                .toList();
        HostReplies<StorageUsageReply> usage = pool.root.calls().storageUsage(hosts);
        if (!usage.errors().isEmpty()) {
            throw usage.errors().values().iterator().next().asException();
        }
        Map<Integer, Long> scm = new HashMap<>();
        Map<Integer, Long> nvme = new HashMap<>();
        usage.replies().values().forEach(reply -> {
            reply.getScmList().forEach(s -> scm.merge(s.getRank(), s.getFreeBytes(), Long::sum));
            reply.getNvmeList().forEach(d -> nvme.merge(d.getRank(), d.getFreeBytes(), Long::sum));
        });
        return PoolSizing.ofPercent(percent, least(scm, layout), least(nvme, layout), layout);
    }

    private static long least(Map<Integer, Long> free, Layout layout) {
        return layout.ranks().stream()
                .mapToLong(r -> free.getOrDefault(r, 0L))
                .min()
                .orElse(0);
    }

    private static boolean isUuid(String text) {
        return text.matches("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
    }
}
