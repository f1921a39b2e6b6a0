package io.daosmesh.admin;

import io.daosmesh.admin.grammar.ByteSize;
import io.daosmesh.admin.grammar.RankSet;
import io.daosmesh.admin.grammar.TierRatio;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.MemberMessage;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;

/**
 * How much of each tier a new pool gets on every target. Pure. Source: daos-admin facts 1.2 with the minima of contract.md
 * for the emulated classes; servers with real hardware refuse less than 16 MiB and 1 GiB themselves.
 *
 * @param scmPerTarget bytes
 * @param nvmePerTarget bytes
 * @param title what the tool says before it creates the pool
 */
public record PoolSizing(long scmPerTarget, long nvmePerTarget, String title) {
    public static final long SCM_MIN = 4L << 20;
    public static final long NVME_MIN = 16L << 20;
    private static final long ALIGNMENT = 4096;

    /**
     * Ranks a pool would be made of, with the number of targets of each. Immutable.
     *
     * @param ranks sorted
     * @param targetsPerRank of the rank with the fewest
     */
    public record Layout(List<Integer> ranks, int rankCount, int targetsPerRank) {
        int targets() {
            return rankCount * targetsPerRank;
        }
    }

    /** @param wanted empty = every Joined rank. @param count 0 = all of them. DER_INVAL, DER_NONEXIST. */
    public static Layout layout(List<MemberMessage> members, List<Integer> wanted, int count) {
        List<MemberMessage> joined = members.stream()
                .filter(m -> m.getState() == MemberMessage.State.JOINED)
                .filter(m -> wanted.isEmpty() || wanted.contains(m.getRank()))
                .toList();
        TreeSet<Integer> missing = new TreeSet<>(wanted);
        joined.forEach(m -> missing.remove(m.getRank()));
        if (!missing.isEmpty()) throw invalid("ranks %s are not Joined", RankSet.plain(missing));
        if (joined.isEmpty()) {
            throw Fault.of(FaultCode.NONEXIST, "no rank of the system is Joined")
                    .remedy("format the storage and wait until dmg system query shows Joined ranks")
                    .asException();
        }
        if (count > joined.size()) throw invalid("%d ranks are wanted, only %d are Joined", count, joined.size());
        int fewest =
                joined.stream().mapToInt(MemberMessage::getTargetCount).min().orElse(0);
        if (fewest < 1) throw invalid("a rank has no targets");
        return new Layout(
                joined.stream().map(MemberMessage::getRank).sorted().toList(),
                count == 0 ? joined.size() : count,
                fewest);
    }

    /** A total over all targets, split by the ratio; too small a share of SCM is raised to the minimum. */
    public static PoolSizing ofTotal(long bytes, TierRatio ratio, Layout layout) {
        if (bytes < SCM_MIN * layout.targets()) throw tooSmall(bytes, ratio, layout);
        double share = ratio.scm() / (ratio.scm() + ratio.nvme());
        long scm = (long) (bytes * share) / layout.targets();
        long nvme = (long) (bytes * (1 - share)) / layout.targets();
        if (nvme > 0 && nvme < NVME_MIN) throw tooSmall(bytes, ratio, layout);
        String ratioText =
                nvme == 0 ? "100.00" : String.format(Locale.ROOT, "%.2f", 100.0 * ratio.scm() / ratio.nvme());
        return new PoolSizing(
                aligned(Math.max(scm, SCM_MIN)),
                aligned(nvme),
                "Creating DAOS pool with automatic storage allocation: " + ByteSize.format(bytes) + " total, "
                        + ratioText + "% ratio");
    }

    /** Bytes of each tier on every engine. */
    public static PoolSizing ofEngines(long scm, long nvme, Layout layout) {
        long scmPerTarget = scm / layout.targetsPerRank();
        long nvmePerTarget = nvme / layout.targetsPerRank();
        if (scmPerTarget < SCM_MIN) throw tooSmall("--scm-size", scm, SCM_MIN, layout);
        if (nvme > 0 && nvmePerTarget < NVME_MIN) throw tooSmall("--nvme-size", nvme, NVME_MIN, layout);
        String ratio = nvme == 0 ? "100.00" : String.format(Locale.ROOT, "%.2f", 100.0 * scm / nvme);
        return new PoolSizing(
                aligned(scmPerTarget),
                aligned(nvmePerTarget),
                "Creating DAOS pool with manual per-engine storage allocation: " + ByteSize.format(scm) + " SCM, "
                        + ByteSize.format(nvme) + " NVMe (" + ratio + "% ratio)");
    }

    /** A share of what is free on the fullest engine, tier by tier. */
    public static PoolSizing ofPercent(int percent, long scmFree, long nvmeFree, Layout layout) {
        long scm = scmFree / 100 * percent / layout.targetsPerRank();
        long nvme = nvmeFree / 100 * percent / layout.targetsPerRank();
        if (scm < SCM_MIN || (nvmeFree > 0 && nvme < NVME_MIN)) {
            throw Fault.of(
                            FaultCode.NOSPACE,
                            "%d%% of the free storage (%s SCM, %s NVMe on the fullest engine) is less than a pool needs",
                            percent,
                            ByteSize.format(scmFree),
                            ByteSize.format(nvmeFree))
                    .asException();
        }
        return new PoolSizing(aligned(scm), aligned(nvme), "Creating DAOS pool with " + percent + "% of all storage");
    }

    private static long aligned(long bytes) {
        return bytes / ALIGNMENT * ALIGNMENT;
    }

    private static FaultException tooSmall(long bytes, TierRatio ratio, Layout layout) {
        double nvmeShare = ratio.nvme() / (ratio.scm() + ratio.nvme());
        long least = nvmeShare > 0 ? (long) Math.ceil(NVME_MIN * layout.targets() / nvmeShare) : 0;
        return invalid(
                        "size %s is too small: %d targets need at least %s",
                        ByteSize.format(bytes),
                        layout.targets(),
                        ByteSize.format(Math.max(least, SCM_MIN * layout.targets())))
                .fault()
                .remedy("give a larger --size, or fewer ranks")
                .asException();
    }

    private static FaultException tooSmall(String option, long bytes, long min, Layout layout) {
        return invalid(
                        "%s %s is too small: %d targets of an engine need at least %s",
                        option,
                        ByteSize.format(bytes),
                        layout.targetsPerRank(),
                        ByteSize.format(min * layout.targetsPerRank()))
                .fault()
                .remedy("give a larger " + option)
                .asException();
    }

    private static FaultException invalid(String text, Object... args) {
        return Fault.of(FaultCode.INVAL, text, args).asException();
    }
}
