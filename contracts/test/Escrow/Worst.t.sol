// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EscrowTerms, IEscrow, Outcome} from "../../src/interfaces/IEscrow.sol";
import {EscrowActs} from "../support/EscrowActs.sol";
import {PriceFeed} from "../support/PriceFeed.sol";

/// @notice Law L9: the largest terms can be opened, asked about and ended within the gas that docs/escrow.md states.
contract WorstTest is EscrowActs {
    /// @dev The test EVM prints it with -vv.
    event log_named_uint(string name, uint256 figure);

    uint256 private constant MOST_TO_OPEN = 650_000;
    uint256 private constant MOST_TO_END = 220_000;
    uint256 private constant MOST_TO_TELL = 400_000;
    uint256 private constant MOST_FOR_STATEMENTS = 210_000;
    uint256 private constant MOST_FOR_FEEDS = 2_700_000;

    /// @dev Eight milestones, each of 32 nodes that name all below it, two lines each, seven arbiters.
    function largest() private returns (EscrowTerms memory escrow) {
        bytes memory program;
        for (uint8 m = 0; m < 8; ++m) {
            program = abi.encodePacked(program, m == 0 ? times() : outcomes(m));
        }
        escrow = escrowOf(8, program);
        delete escrow.lines;
        for (uint8 k = 0; k < 16; ++k) {
            address payer = k % 4 == 0 ? buyer : admitted(string.concat("payer ", vm.toString(k)));
            if (k % 4 != 0) give(payer, EURO, SUM);
            address payee = admitted(string.concat("payee ", vm.toString(k)));
            addLine(escrow, lineOf(k / 2, EURO, payer, payee, SUM));
        }
        escrow = withPanel(escrow);
        escrow.arbiters = new address[](7);
        for (uint256 k = 0; k < 7; ++k) {
            escrow.arbiters[k] = named(string.concat("judge ", vm.toString(k)));
        }
        escrow.quorum = 4;
    }

    /// @dev 32 nodes: a group of seven with three groups of eight among them.
    function tree(bytes memory leaf) private pure returns (bytes memory program) {
        bytes memory eight = hex"1008";
        for (uint256 k = 0; k < 8; ++k) {
            eight = abi.encodePacked(eight, leaf);
        }
        return abi.encodePacked(hex"1007", eight, eight, eight, leaf, leaf, leaf, leaf);
    }

    function times() private pure returns (bytes memory) {
        return tree(timeAt(uint64(NOON + 2 days)));
    }

    /// @dev Any end of each milestone below, in turn.
    function outcomes(uint8 m) private pure returns (bytes memory program) {
        program = tree(outcomeIs(0, 3));
        // The last four leaves name the highest ones below.
        for (uint256 k = 0; k < 4 && k < m; ++k) {
            program[program.length - 3 * k - 2] = bytes1(uint8(m - 1 - k));
        }
    }

    function spent(bytes memory call_) private returns (uint256) {
        vm.prank(stranger);
        (bool success,) = address(books).call(call_);
        assertTrue(success, "must pass");
        return vm.lastCallGas().gasTotalUsed;
    }

    // ---------------------------------------------------------------- bounds

    function test_opens_ends_and_tells_the_largest_terms_within_their_bounds() external {
        EscrowTerms memory escrow = largest();
        assertLe(escrow.program.length, 2048, "within the bounds");
        bytes[] memory signatures = consents(escrow);
        uint256 opening = spent(abi.encodeCall(books.openEscrow, (escrow, signatures)));
        for (uint256 m = 0; m < 8; ++m) {
            dispute(escrow, m, escrow.lines[2 * m].depositor);
            elapse(1);
        }
        uint256 telling = spent(abi.encodeCall(books.whatNow, (escrow)));
        vm.warp(nowOf(escrow, 7).deadline - 1 days);
        // By condition, the last, after all the others.
        for (uint256 m = 0; m < 7; ++m) {
            vm.warp(nowOf(escrow, m).deadline);
            lapse(escrow, m);
        }
        vm.warp(nowOf(escrow, 7).deadline);
        uint256 ending = spent(abi.encodeCall(books.endByDefault, (escrow, 7)));
        emit log_named_uint("to open", opening);
        emit log_named_uint("to tell", telling);
        emit log_named_uint("to end", ending);
        assertLe(opening, MOST_TO_OPEN, "to open");
        assertLe(telling, MOST_TO_TELL, "to tell");
        assertLe(ending, MOST_TO_END, "to end");
    }

    /// @dev As many statements as a condition takes.
    function test_reads_all_statements_that_fit_within_their_bound() external {
        EscrowTerms memory escrow = escrowOf(tree(signedBy(third, DELIVERED)));
        open(escrow);
        bytes[] memory evidence = new bytes[](28);
        for (uint256 k = 0; k < 28; ++k) {
            evidence[k] = attested(idOf(escrow), 0, third, uint64(NOON));
        }
        uint256 gasUsed = spent(abi.encodeCall(books.endByCondition, (escrow, 0, evidence)));
        emit log_named_uint("statements", gasUsed);
        assertLe(gasUsed, MOST_FOR_STATEMENTS, "statements");
    }

    /// @dev As many feeds as a condition takes, each of which burns all that it is given, twice.
    function test_asks_feeds_that_burn_all_they_get_within_their_bound() external {
        PriceFeed feed = PriceFeed(vm.deployCode("PriceFeed.sol:PriceFeed"));
        feed.become(PriceFeed.Mood.Burns);
        EscrowTerms memory escrow = escrowOf(tree(feedOf(address(feed), 0, 1, 0, 9)));
        open(escrow);
        bytes[] memory evidence = new bytes[](28);
        evidence[27] = abi.encodePacked(uint80(1));
        bytes memory error_ = abi.encodeWithSelector(IEscrow.FeedSilent.selector, 27, address(feed));
        refusesToEnd(escrow, evidence, error_);
        uint256 one = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint("feeds", 28 * one);
        assertLe(28 * one, MOST_FOR_FEEDS, "feeds");
    }

    /// @dev Starved of gas an end does not happen: it never happens otherwise than it would have.
    function testFuzz_ends_with_all_the_gas_it_needs_or_not_at_all(uint256 gas_) external {
        PriceFeed feed = PriceFeed(vm.deployCode("PriceFeed.sol:PriceFeed"));
        feed.tell(1, 5, NOON);
        bytes memory program = anyOf(feedOf(address(feed), 0, 1, 0, 9), signedBy(third, DELIVERED));
        EscrowTerms memory escrow = escrowOf(program);
        open(escrow);
        bytes[] memory evidence =
            listed(abi.encodePacked(uint80(1)), attested(idOf(escrow), 0, third, uint64(NOON)));
        bytes memory call_ = abi.encodeCall(books.endByCondition, (escrow, 0, evidence));
        (bool success,) = address(books).call{gas: bound(gas_, 1000, 400_000)}(call_);
        assertOutcome(escrow, 0, success ? Outcome.Released : Outcome.None);
        assertHolds(seller, EURO, success ? SUM : 0, 0);
    }
}
