// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IParticipants} from "../../src/interfaces/IParticipants.sol";
import {Account, Standing} from "../../src/interfaces/Types.sol";

import {Market} from "../support/Market.sol";

/// @notice Who is admitted, and which accounts are whose.
contract ParticipantsTest is Market {
    IParticipants internal registry;
    address[] internal accounts;

    bytes20 internal constant LEI = "5299000J2N45DDNE4Y28";
    bytes20 internal constant OTHER = "529900T8BM49AURSDO55";
    bytes11 internal constant BIC = "DEUTDEFFXXX";

    function setUp() public override {
        super.setUp();
        registry = IParticipants(
            vm.deployCode("Participants.sol:Participants", abi.encode(authority, books))
        );
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = books.setStanding.selector;
        authority.grantRole(4, address(registry), 0);
        authority.setTargetFunctionRole(address(books), selectors, 4);
        accounts = [named("first"), named("second")];
    }

    function refuse(bytes memory call_, bytes memory error_) private {
        (bool success, bytes memory answer) = address(registry).call(call_);
        assertFalse(success);
        assertEq(answer, error_);
    }

    function admit() private {
        registry.admit(LEI, BIC, 3, accounts);
    }

    function standsAs(address account, Standing standing) private view {
        assertEq(uint8(books.accountOf(account).standing), uint8(standing));
    }

    // ---------------------------------------------------------------- refusals

    function test_refuses_who_has_not_the_role() external {
        bytes[3] memory calls = [
            abi.encodeCall(registry.admit, (LEI, BIC, 3, accounts)),
            abi.encodeCall(registry.openAccount, (LEI, stranger)),
            abi.encodeCall(registry.setStanding, (LEI, Standing.Suspended, "TEST"))
        ];
        bytes4 error_ = IAccessManaged.AccessManagedUnauthorized.selector;
        for (uint256 k = 0; k < 3; ++k) {
            vm.prank(stranger);
            refuse(calls[k], abi.encodeWithSelector(error_, stranger));
        }
    }

    function test_refuses_a_participant_without_lei_or_bic() external {
        bytes4 error_ = IParticipants.ParticipantInvalid.selector;
        refuse(
            abi.encodeCall(registry.admit, (0, BIC, 3, accounts)),
            abi.encodeWithSelector(error_, bytes20(0), BIC)
        );
        refuse(
            abi.encodeCall(registry.admit, (LEI, 0, 3, accounts)),
            abi.encodeWithSelector(error_, LEI, bytes11(0))
        );
    }

    function test_refuses_a_participant_twice() external {
        admit();
        refuse(
            abi.encodeCall(registry.admit, (LEI, BIC, 3, accounts)),
            abi.encodeWithSelector(IParticipants.ParticipantExists.selector, LEI)
        );
    }

    function test_refuses_more_accounts_than_the_bound() external {
        address[] memory many = new address[](65);
        for (uint160 k = 0; k < 65; ++k) {
            many[k] = address(k + 1);
        }
        bytes memory error_ = abi.encodeWithSelector(IParticipants.TooManyAccounts.selector, 65, 64);
        refuse(abi.encodeCall(registry.admit, (LEI, BIC, 3, many)), error_);
        assembly ("memory-safe") {
            mstore(many, 64)
        }
        registry.admit(LEI, BIC, 3, many);
        refuse(abi.encodeCall(registry.openAccount, (LEI, stranger)), error_);
        assertEq(registry.participantOf(LEI).accounts, 64);
    }

    /// @dev Every account of the largest participant is suspended in one call, and that fits a block.
    function test_suspends_the_largest_participant_in_one_call() external {
        address[] memory many = new address[](64);
        for (uint160 k = 0; k < 64; ++k) {
            many[k] = address(k + 1);
        }
        registry.admit(LEI, BIC, 3, many);
        uint256 before = gasleft();
        registry.setStanding(LEI, Standing.Suspended, "TEST");
        assertLt(before - gasleft(), 3_000_000);
        standsAs(many[63], Standing.Suspended);
    }

    function test_refuses_an_account_that_is_somebodys_or_nobodys() external {
        admit();
        registry.admit(OTHER, BIC, 3, new address[](0));
        refuse(
            abi.encodeCall(registry.openAccount, (OTHER, accounts[0])),
            abi.encodeWithSelector(IParticipants.AccountTaken.selector, accounts[0], LEI)
        );
        refuse(
            abi.encodeCall(registry.openAccount, (OTHER, address(0))),
            abi.encodeWithSelector(IParticipants.AccountInvalid.selector, address(0))
        );
        assertEq(registry.leiOf(accounts[0]), LEI);
    }

    function test_refuses_what_is_unknown_or_changes_nothing() external {
        bytes memory unknown =
            abi.encodeWithSelector(IParticipants.ParticipantUnknown.selector, LEI);
        refuse(abi.encodeCall(registry.openAccount, (LEI, stranger)), unknown);
        refuse(abi.encodeCall(registry.setStanding, (LEI, Standing.Suspended, "X")), unknown);
        admit();
        bytes4 error_ = IParticipants.StandingUnchanged.selector;
        Standing[2] memory same = [Standing.Admitted, Standing.Unknown];
        for (uint256 k = 0; k < 2; ++k) {
            refuse(
                abi.encodeCall(registry.setStanding, (LEI, same[k], "X")),
                abi.encodeWithSelector(error_, LEI, same[k])
            );
        }
    }

    // ---------------------------------------------------------------- effects

    function test_admits_with_accounts_that_may_settle_at_once() external {
        vm.expectEmit(address(registry));
        emit IParticipants.ParticipantAdmitted(LEI, BIC, 3);
        vm.expectEmit(address(registry));
        emit IParticipants.AccountOpened(LEI, accounts[0]);
        admit();
        assertEq(
            abi.encode(books.accountOf(accounts[1])),
            abi.encode(Account(Standing.Admitted, false, 3, 0))
        );
        assertEq(registry.accountAt(LEI, 1), accounts[1]);
        assertEq(registry.participantOf(LEI).accounts, 2);
    }

    function test_suspends_and_admits_all_accounts_together() external {
        admit();
        vm.expectEmit(address(registry));
        emit IParticipants.ParticipantStandingSet(LEI, Standing.Suspended, "SANC");
        registry.setStanding(LEI, Standing.Suspended, "SANC");
        standsAs(accounts[0], Standing.Suspended);
        standsAs(accounts[1], Standing.Suspended);
        registry.setStanding(LEI, Standing.Admitted, "OKAY");
        standsAs(accounts[1], Standing.Admitted);
    }

    function test_opens_an_account_of_a_suspended_participant_suspended() external {
        admit();
        registry.setStanding(LEI, Standing.Suspended, "SANC");
        registry.openAccount(LEI, stranger);
        standsAs(stranger, Standing.Suspended);
    }

    function test_reads_nothing_of_what_is_unknown() external view {
        assertEq(uint8(registry.participantOf(OTHER).standing), 0);
        assertEq(registry.leiOf(stranger), bytes20(0));
    }
}
