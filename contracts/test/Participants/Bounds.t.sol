// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IParticipants} from "../../src/interfaces/IParticipants.sol";
import {Market} from "../support/Market.sol";

/// @notice How many accounts a participant may have.
contract ParticipantBoundsTest is Market {
    uint256 internal constant MAX = 64;

    function test_tells_how_many_accounts_were_asked_for_whatever_their_number() external {
        IParticipants registry = IParticipants(
            vm.deployCode("Participants.sol:Participants", abi.encode(authority, books))
        );
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = books.setStanding.selector;
        authority.grantRole(4, address(registry), 0);
        authority.setTargetFunctionRole(address(books), selectors, 4);
        for (uint256 more = 1; more < 4; ++more) {
            address[] memory accounts = new address[](MAX + more);
            for (uint256 k = 0; k < accounts.length; ++k) {
                accounts[k] = address(uint160(0xacc0000 + k));
            }
            (bool success, bytes memory answer) = address(registry)
                .call(
                    abi.encodeCall(
                        registry.admit, ("5299000J2N45DDNE4Y28", "DEUTDEFFXXX", 3, accounts)
                    )
                );
            assertFalse(success);
            assertEq(
                answer,
                abi.encodeWithSelector(IParticipants.TooManyAccounts.selector, MAX + more, MAX)
            );
        }
    }
}
