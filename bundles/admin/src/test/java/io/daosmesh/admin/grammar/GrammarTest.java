package io.daosmesh.admin.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultException;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GrammarTest {
    // ---------------------------------------------------------------- hosts

    @Test
    void shouldExpandHostLists() {
        assertEquals(List.of("st01", "st02", "st03"), HostList.parse("st[01-03]"));
        assertEquals(List.of("10.8.1.20", "10.8.1.21"), HostList.parse("10.8.1.[20-21]"));
        assertEquals(List.of("n1-ib", "n2-ib"), HostList.parse("n[1-2]-ib"));
        assertEquals(List.of("a", "b", "c"), HostList.parse("c a\tb,a"));
        assertEquals(List.of("storagehost0", "storagehost5", "storagehost6"), HostList.parse("storagehost[0,5-6]"));
        assertEquals(List.of("127.0.0.1:10001", "127.0.0.1:10002"), HostList.parse("127.0.0.1:1000[1-2]"));
        assertEquals(List.of(), HostList.parse(""));
        assertEquals(List.of("a:1", "b:7"), HostList.addresses("a,b:7", 1));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "123 | invalid hostname \"123\"",
                "[1-3] | missing prefix",
                "st[3-1] | invalid range \"[3-1]\" (1 < 3)",
                "st[a-b] | is not uint",
                "st[1-99999] | > 16384 hosts",
                "st[1-3 | missing ']'",
                "st1-3] | misplaced ']'",
                "st[1][2] | two ranges",
                "a;b | invalid hostname",
                "st[] | is not uint"
            })
    void shouldRefuseBadHostLists(String text, String error) {
        refused(error, () -> HostList.parse(text));
    }

    @Test
    void shouldFoldHostsToWhatParsesToThem() {
        List<String> hosts = List.of(
                "st08", "st09", "st10", "st12", "wolf-71", "wolf-72", "x", "10.8.1.9", "10.8.1.10", "b.example.org");

        String text = HostList.fold(hosts);

        assertEquals("10.8.1.[9-10],b.example.org,st[08-10,12],wolf-[71-72],x", text);
        assertEquals(HostList.parse(String.join(",", hosts)), HostList.parse(text));
    }

    @Test
    void shouldHidePortsWhereNamesDiffer() {
        assertEquals("st[01-02]", HostList.display(List.of("st01:10001", "st02:10001")));
        assertEquals(
                "127.0.0.1:1000[1-3]",
                HostList.display(List.of("127.0.0.1:10001", "127.0.0.1:10002", "127.0.0.1:10003")));
        assertEquals(
                "127.0.0.1:100[08-11]",
                HostList.fold(List.of("127.0.0.1:10008", "127.0.0.1:10009", "127.0.0.1:10010", "127.0.0.1:10011")));
        assertEquals("127.0.0.1:[9999-10000]", HostList.fold(List.of("127.0.0.1:9999", "127.0.0.1:10000")));
        assertEquals(
                "127.0.0.1:10002",
                HostList.display(List.of("127.0.0.1:10002"), List.of("127.0.0.1:10001", "127.0.0.1:10002")));
    }

    // ---------------------------------------------------------------- ranks

    @Test
    void shouldParseAndPrintRankSets() {
        assertEquals(List.of(0, 5, 6, 7), RankSet.parse("5-7,0,6"));
        assertEquals(List.of(0, 5), RankSet.parse("[0,5]"));
        refused("no rank", () -> RankSet.parse(""));
        assertEquals("0-2,7", RankSet.plain(List.of(7, 1, 0, 2)));
        assertEquals("[0-2,7]", RankSet.bracketed(List.of(7, 1, 0, 2)));
        assertEquals("[6-7]", RankSet.bracketed(List.of(6, 7)));
        assertEquals("8", RankSet.bracketed(List.of(8)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "abc | creating numeric set from \"abc\": unexpected alphabetic character(s)",
                "1, 2 | unexpected whitespace character(s)",
                "3-1 | (1 < 3)",
                "[0-2 | unbalanced brackets",
                "1,,2 | is not uint",
                "-1 | is not uint",
                "4294967295 | too large"
            })
    void shouldRefuseBadRankSets(String text, String error) {
        refused(error, () -> RankSet.parse(text));
    }

    // ---------------------------------------------------------------- sizes

    @ParameterizedTest
    @CsvSource({
        "300MB,300000000",
        "1.5TB,1500000000000",
        "1KiB,1024",
        "2Gi,2147483648",
        "512,512",
        "7 kB,7000",
        "7k,7000",
        "0,0",
        "1b,1",
        "4mib,4194304",
        ".5GB,500000000"
    })
    void shouldParseSizes(String text, long bytes) {
        assertEquals(bytes, ByteSize.parse(text));
    }

    @Test
    void shouldParseSizesWithThousandsCommas() {
        assertEquals(1_000_000_000_000L, ByteSize.parse("1,000GB"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"12XB", "-5", "1.2.3", "abc", "5 5", "99999999EB", "1KiBB", "1 i"})
    void shouldRefuseBadSizes(String text) {
        refused("invalid size", () -> ByteSize.parse(text));
    }

    @Test
    void shouldRefuseAnEmptySize() {
        refused("no size specified", () -> ByteSize.parse(" "));
    }

    @ParameterizedTest
    @CsvSource({
        "0,0 B",
        "9,9 B",
        "10,10 B",
        "999,999 B",
        "1000,1.0 kB",
        "9949,9.9 kB",
        "9951,10 kB",
        "6400000000000,6.4 TB",
        "12000000000000,12 TB",
        "300000000,300 MB",
        "999999,1000 kB",
        "1000000,1.0 MB",
        "4194304,4.2 MB"
    })
    void shouldPrintSizes(long bytes, String text) {
        assertEquals(text, ByteSize.format(bytes));
    }

    @Test
    void shouldTellPercentagesFromSizes() {
        assertEquals(OptionalInt.of(50), ByteSize.percent(" 50 % "));
        assertEquals(OptionalInt.empty(), ByteSize.percent("50GB"));
        refused("0 < ratio <= 100", () -> ByteSize.percent("0%"));
        refused("0 < ratio <= 100", () -> ByteSize.percent("101%"));
        refused("invalid pool size ratio", () -> ByteSize.percent("12.5%"));
    }

    // ---------------------------------------------------------------- ratios, key:value lists

    @Test
    void shouldParseTierRatios() {
        assertEquals(new TierRatio(6, 94), TierRatio.parse("6,94"));
        assertEquals(new TierRatio(10, 90), TierRatio.parse("10%"));
        assertEquals("6.00%,94.00%", TierRatio.DEFAULT.text());
        refused("must add up to 100 (got 80)", () -> TierRatio.parse("20,60"));
        refused("above 100", () -> TierRatio.parse("101"));
        refused("invalid tier ratio", () -> TierRatio.parse("a,b"));
        refused("two tiers", () -> TierRatio.parse("1,2,97"));
    }

    @Test
    void shouldParseKeyValueLists() {
        assertEquals(
                Map.of("rd_fac", "2", "self_heal", "exclude;rebuild"),
                KeyValues.parse("rd_fac:2,self_heal:exclude;rebuild"));
        refused("must be key:value", () -> KeyValues.parse("rd_fac"));
        refused("empty value", () -> KeyValues.parse("rd_fac:"));
        refused("empty key", () -> KeyValues.parse(":2"));
        refused("twice", () -> KeyValues.parse("a:1,a:2"));
        refused("key too long", () -> KeyValues.parse("a".repeat(21) + ":1"));
        refused("value too long", () -> KeyValues.parse("a:" + "1".repeat(129)));
        refused("no key:value", () -> KeyValues.parse(" "));
    }

    private static void refused(String text, Executable what) {
        FaultException e = assertThrows(FaultException.class, what);
        assertTrue(e.getMessage().contains(text), e.getMessage());
    }
}
